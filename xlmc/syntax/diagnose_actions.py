"""Mistakes around the verbs of actions, which the grammar reads as names."""

from lark import Token

from xlmc.diagnostics.diagnostic import Fix, nearest
from xlmc.diagnostics.syntax_errors import Misplaced, Misspelt, UnknownEntry
from xlmc.syntax import vocabulary
from xlmc.syntax.recover import Recovery
from xlmc.syntax.vocabulary import STEPS


class Verbal(Recovery):
    """Knows which verbs there are, and the blocks in which they can be."""

    def _verb_outside(self, token: Token) -> bool:
        """Report an action in a block whose entries begin with keywords."""
        if token.type != "NAME" or token not in self.verbs or not self.blocks:
            return False
        return self._elsewhere(token, token)

    def _verb_elsewhere(self, token: Token) -> bool:
        """Report an action in a block whose entries begin with names."""
        first = self.statement[0]
        if len(self.statement) != 1 or first.type != "NAME" or first not in self.verbs:
            return False
        return self._block not in STEPS and self._elsewhere(first, token)

    def _elsewhere(self, verb: Token, token: Token) -> bool:
        form = vocabulary.form("step", [verb], self.verbs)
        span = self._span(verb)
        word, block = str(verb), self._block
        self._report(Misplaced(span=span, word=word, block=block, home="`step`", form=form))
        self._skip(token)
        return True

    def _no_verb(self, token: Token) -> bool:
        """Report an entry of a step that begins with no verb, where its second word is wrong."""
        first = self.statement[0]
        if self._block not in STEPS or len(self.statement) != 1 or not self.verbs:
            return False
        if first.type != "NAME" or first in self.verbs:
            return False
        span, found, words = self._span(first), str(first), vocabulary.actions(self.verbs)
        meant = nearest(found, words)
        if meant is not None:
            form = self._form_of(meant)
            self._report(
                Misspelt(span=span, found=found, meant=meant, form=form, fix=Fix(span, meant))
            )
        else:
            known = vocabulary.listing([f"`{word}`" for word in words], "and")
            self._report(UnknownEntry(span=span, word=found, block=self._block, known=known))
        self._skip(token)
        return True

    @property
    def _actions(self) -> str:
        """The words that an entry of a step can begin with, where one is to begin."""
        if self._block not in STEPS or self.statement:
            return ""
        return vocabulary.listing([f"`{word}`" for word in vocabulary.actions(self.verbs)], "or")

    def _form_of(self, word: str) -> str:
        """Return the form of the action that begins with a verb or a keyword."""
        kinds = {vocabulary.sign(kind): kind for kind in vocabulary.entries()["step"]}
        return vocabulary.form("step", [Token(kinds.get(word, "NAME"), word)], self.verbs)

    def _unlikely(self, kind: str, token: Token) -> set[str]:
        """Return terminals that would hardly be missing between an action and a name."""
        if self._block not in STEPS or kind != "NAME":
            return set()
        return {"_BY"} if token in self.verbs else {"_END"}
