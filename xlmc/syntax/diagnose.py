"""Every syntax error of a spec that Lark refused, each with words for what was being read.

A token that does not fit is shown to one cure after another. A cure that knows the mistake reports
it, sees to it that reading can go on, and returns true.
"""

from lark import Token

from xlmc.diagnostics.diagnostic import Diagnostic, Fix, InternalError, Related, nearest
from xlmc.diagnostics.source import Source, Span
from xlmc.diagnostics.syntax_errors import (
    AfterEnd,
    BraceOnNextLine,
    DoubleEqual,
    Misplaced,
    Missing,
    Misspelt,
    OpenString,
    ReservedName,
    Stray,
    Unclosed,
    Unexpected,
    UnknownEntry,
)
from xlmc.syntax import grammar, vocabulary
from xlmc.syntax.cursor import STRAY
from xlmc.syntax.diagnose_actions import Verbal


def errors(source: Source, verbs: vocabulary.Verbs) -> list[Diagnostic]:
    """Return the syntax errors of a spec that has at least one, up to twenty."""
    reader = _Reader(source, verbs)
    reader.read()
    if not reader.problems:
        raise InternalError(f"{source.name} was refused, and no error was found in it")
    return reader.problems


class _Reader(Verbal):
    """Knows what people get wrong."""

    def _mend(self, token: Token) -> None:
        cures = [self._stray, self._double_equal, self._after_end, self._end_of_file]
        if self.statement and self.statement != [self.closed]:
            cures += [self._second_word, self._verb_elsewhere, self._no_verb]
            cures += [self._misspelt, self._untitled, self._forgotten_brace]
            cures += [self._reserved, self._too_many]
            cures += [self._unfinished, self._runs_on, self._missing]
        else:
            cures += [self._unclosed, self._misplaced, self._verb_outside, self._first_word]
            cures += [self._no_action]
        if not any(cure(token) for cure in cures):
            self._unexpected(token)

    def _stray(self, token: Token) -> bool:
        """Report a character that the language does not use, or not at this place."""
        if token == '"' and token.type == STRAY:
            return self._open_string(token)
        if token.type not in (STRAY, "PRIMES"):
            return False
        span = self._span(token)
        text, hint = vocabulary.stray(self.source.text, span.start)
        whole = Span(self.source, span.start, span.start + len(text))
        self.cursor.skip_to(whole.end)
        self._report(Stray(span=whole, text=text, hint=hint))
        self._skip(token)
        return True

    def _open_string(self, quote: Token) -> bool:
        """Report a quote without its partner: the rest of the line counts as quoted."""
        start = self._span(quote).start
        line_end = self.source.text.find("\n", start)
        end = line_end if line_end >= 0 else len(self.source.text)
        self.cursor.skip_to(end)
        self._report(OpenString(span=Span(self.source, start, end)))
        whole = Token("STRING", self.source.text[start:end], start)
        if not self._take(whole):
            self._skip(whole)
        return True

    def _double_equal(self, token: Token) -> bool:
        if not (token.type == "_EQUAL" and self.last and self.last.type == "_EQUAL"):
            return False
        span = self._span(self.last).to(self._span(token))
        self._report(DoubleEqual(span=span, fix=Fix(span, "=")))
        return True

    def _after_end(self, token: Token) -> bool:
        if self.closed is None or self.blocks or self.family is None or token.type == "$END":
            return False
        end = Related(self._span(self.closed), "the family ends here")
        hint = "is one `}` above it too many?"
        if token.type == "_RBRACE":
            hint = "delete it, or the one above that is too many"
        elif token.type == "_FAMILY":
            hint = "a file holds one family: give the second one a file of its own"
        found = vocabulary.found(token)
        self._report(AfterEnd(span=self._span(token), found=found, hint=hint, related=(end,)))
        self.over = token.type == "_FAMILY" or self.family.damaged
        self.blocks = [self.family]
        self._restart()
        if token.type != "_RBRACE":
            self.pending = token
        self.reported = True
        return True

    def _end_of_file(self, token: Token) -> bool:
        if token.type != "$END":
            return False
        if self.statement and self.blocks and not self.cursor.takes("_RBRACE"):
            self._unfinished(token)
            self.reported = False
        if self.blocks:
            opened = Related(self._span(self.blocks[-1].brace), "this is never closed")
            self._report(Unclosed(span=self._after_last(), closing="}", related=(opened,)))
        elif not self.problems:
            what = vocabulary.expected(self.cursor.accepts())
            self._report(Missing(span=self._after_last(), what=what, form=vocabulary.SPEC))
        return True

    def _unclosed(self, token: Token) -> bool:
        """Report a word of a block further out, in a file that lacks a brace."""
        outer = [b for b in self.blocks[:-1] if self.cursor.takes(token.type, start=b.inside)]
        if not outer or token.type in ("NAME", "_END", "_RBRACE") or self._missing_braces() <= 0:
            return False
        opened = Related(self._span(self.blocks[-1].brace), "this is not closed")
        self._report(Unclosed(span=self._after_last(), closing="}", related=(opened,)))
        while self.blocks[-1] is not outer[-1]:
            self._close_by_force(token)
        self._new_statement()
        self.pending = token
        return True

    def _missing_braces(self) -> int:
        """Return how many more braces the text opens than it closes."""
        code = vocabulary.without_strings_and_comments(self.source.text)
        unclosed = sum(isinstance(p, Unclosed) and p.closing == "}" for p in self.problems)
        return code.count("{") - code.count("}") - unclosed

    def _misplaced(self, token: Token) -> bool:
        """Report a word that starts an entry of another block."""
        homes = [block for block, known in vocabulary.entries().items() if token.type in known]
        if not homes or token.type in ("NAME", "PATH") or not self.blocks:
            return False
        home = vocabulary.listing([f"`{h}`" for h in homes], "or")
        form = vocabulary.form("", [token], self.verbs)
        span, word = self._span(token), vocabulary.sign(token.type)
        self._report(Misplaced(span=span, word=word, block=self._block, home=home, form=form))
        self._skip(token)
        return True

    def _first_word(self, token: Token) -> bool:
        """Report a name where a statement should start with a keyword."""
        if token.type not in ("NAME", "PATH"):
            return False
        accepted = self.cursor.accepts()
        if self._correct(token, accepted):
            return True
        words = accepted - {"_RBRACE", "_END", "$END"}
        if not self.blocks or not words:
            return False
        known = vocabulary.expected(words).replace(" or ", " and ")
        self._report(
            UnknownEntry(span=self._span(token), word=str(token), block=self._block, known=known)
        )
        self._skip(token)
        return True

    def _no_action(self, token: Token) -> bool:
        """Report a block that is closed with nothing in it, though it needs an action."""
        if token.type != "_RBRACE" or not self.blocks:
            return False
        if not self.blocks[-1].damaged:
            span = Span(self.source, *[self._span(self.blocks[-1].brace).end] * 2)
            self._report(Missing(span=span, what="an action", form=vocabulary.action(self.verbs)))
        self._close_by_force(token)
        self.last = token
        return True

    def _correct(self, token: Token, accepted: set[str]) -> bool:
        """Take a misspelt keyword for what it was meant to be."""
        known = {vocabulary.sign(kind): kind for kind in accepted if vocabulary.is_keyword(kind)}
        meant = nearest(token, known)
        if meant is None:
            return False
        corrected = Token(known[meant], str(token), token.start_pos)
        form = vocabulary.form(self._block, [*self.statement, corrected], self.verbs)
        span, fix = self._span(token), Fix(self._span(token), meant)
        self._report(Misspelt(span=span, found=str(token), meant=meant, form=form, fix=fix))
        self.pending = corrected
        return True

    def _second_word(self, token: Token) -> bool:
        """Report that the word before this one was a misspelt keyword, read as a name."""
        if len(self.statement) != 1 or self.statement[0].type != "NAME" or not self.blocks:
            return False
        first, inside = self.statement[0], self.blocks[-1].inside
        fitting = {
            kind
            for kind in self.cursor.accepts(inside)
            if any(self.cursor.takes(kind, k, start=inside) for k in _kinds(token))
        }
        known = {vocabulary.sign(kind): kind for kind in fitting if vocabulary.is_keyword(kind)}
        if nearest(first, known) is None:
            return False
        self._restart()
        self._correct(first, fitting)
        self._take(self._next())
        self.pending = token
        return True

    def _misspelt(self, token: Token) -> bool:
        return token.type == "NAME" and self._correct(token, self.cursor.accepts())

    def _untitled(self, token: Token) -> bool:
        """Report the title of a family without its quotes."""
        first = self.statement[0]
        if first.type != "_FAMILY" or "STRING" not in self.cursor.accepts():
            return False
        if token.type != "NAME" or self._on_new_line(token):
            return False
        start, end, count = self._span(token).start, token, 0
        while token.type not in ("_LBRACE", "_EXTENDS", "_END", "$END", STRAY):
            end, count, token = token, count + 1, self._next()
        whole = Span(self.source, start, self._span(end).end)
        what = 'a `"`' if count > 1 else 'a `"`, or `extends`,'
        self._report(Missing(span=Span(self.source, start, start), what=what, form=vocabulary.SPEC))
        self._take(Token("STRING", whole.text, start))
        self.reported, self.pending = False, token
        return True

    def _too_many(self, token: Token) -> bool:
        """Report a closing bracket after a complete statement, if none is open."""
        if token.type not in grammar.CLOSING or self.parens or "_END" not in self.cursor.accepts():
            return False
        opening = {"_RPAR": "(", "_RSQB": "["}[token.type]
        found, expected = vocabulary.found(token), f"no more: no `{opening}` is open"
        self._report(
            Unexpected(span=self._span(token), found=found, expected=expected, form=self._form)
        )
        return True

    def _forgotten_brace(self, token: Token) -> bool:
        """Report a block without its brace, if its content follows on the same line."""
        if "_LBRACE" not in self.cursor.accepts() or self._on_new_line(token):
            return False
        kinds = [kind for kind in _kinds(token) if self.cursor.takes("_LBRACE", kind)]
        behind = self.source.text[self._span(token).end :].lstrip(" ")
        named = not vocabulary.is_keyword(token.type) and behind.startswith("{")  # another block
        if not kinds or named or behind.startswith(","):  # a name as well
            return False
        self._report(Missing(span=self._after_last(), what="`{`", form=self._form))
        self._insert("_LBRACE")
        self.reported = True
        self.pending = Token(kinds[0], str(token), token.start_pos)
        return True

    def _reserved(self, token: Token) -> bool:
        """Report a keyword where a name of the author's is needed."""
        if not vocabulary.is_keyword(token.type) or self._on_new_line(token):
            return False
        if not self.cursor.takes("NAME") or self.cursor.takes("NAME", token.type):
            return False
        self._report(ReservedName(span=self._span(token), name=str(token)))
        return self._take(Token("NAME", str(token), token.start_pos))

    def _unfinished(self, token: Token) -> bool:
        """Report a statement that stops before it is complete."""
        if not (self._on_new_line(token) or token.type == "_RBRACE"):
            return False
        accepted = self.cursor.accepts()
        if "_LBRACE" in accepted and token.type == "_END":
            self._no_brace()
            return True
        if self.parens and accepted & grammar.CLOSING:
            self._never_closed()
        else:
            what = self._after or vocabulary.expected(accepted)
            what = "`{`" if "_LBRACE" in accepted else what
            self._report(Missing(span=self._after_last(), what=what, form=self._form))
        self._restart()
        if token.type != "_END":
            self.pending = token
        return True

    def _no_brace(self) -> None:
        """Continue inside of a block whose brace is missing, or is on a line of its own."""
        following = self._next()
        if following.type == "_LBRACE":
            self._report(BraceOnNextLine(span=self._span(following), form=self._form))
        else:
            self._report(Missing(span=self._after_last(), what="`{`", form=self._form))
            if self.cursor.takes("_LBRACE", following.type) or not self._starts_entry(following):
                self._insert("_LBRACE")
            else:  # the block has no content: its line was something else
                self._restart()
        self.pending = following

    def _never_closed(self) -> None:
        """Report the innermost open parenthesis; a bracket belongs to one line."""
        opened = self.parens[-1]
        closing = ")" if opened.type == "_LPAR" else "]"
        line = [t for t in self.statement if self._span(t).line == self._span(opened).line]
        last = line[-1] if opened.type == "_LSQB" else self.statement[-1]
        place = Span(self.source, *[self._span(last).end] * 2)
        related = Related(self._span(opened), "this is never closed")
        self._report(Unclosed(span=place, closing=closing, related=(related,)))

    def _runs_on(self, token: Token) -> bool:
        """Report an open bracket that swallowed the start of a later line."""
        if not self.parens or token.type not in ("_COLON", "_TILDE", "_ARROW", "_LBRACE", "PATH"):
            return False
        if self._span(token).line == self._span(self.parens[-1]).line:
            return False
        self._never_closed()
        self._skip(token)
        return True

    def _missing(self, token: Token) -> bool:
        """Report one missing piece, if the token would fit after it."""
        accepted = self.cursor.accepts()
        for kind in _kinds(token):
            fitting = {a for a in accepted if self.cursor.takes(a, kind)}
            fitting -= self._unlikely(kind, token)
            if fitting:
                break
        else:
            return False
        if vocabulary.OPERATORS & fitting and fitting <= {*vocabulary.OPERATORS, "_END"}:
            fitting = {"TIMES"}
            what = "an operator"
        elif len(fitting) == 1 and "NAME" not in fitting:
            what = vocabulary.expected(fitting)
        else:
            what = self._after or vocabulary.expected(fitting)
        self._report(Missing(span=self._after_last(), what=what, form=self._form))
        if kind == "_LBRACE" and len(fitting) > 1:
            self._skip(token)  # a block of no name: nobody knows what may stand in it
            return True
        self._insert(min(fitting, key=lambda t: (t in vocabulary.OPERATORS, t)))
        self.pending = Token(kind, str(token), token.start_pos)
        return True

    def _unexpected(self, token: Token) -> None:
        accepted = self.cursor.accepts() - (set() if self.blocks else {"_END"})
        expected = self._actions or vocabulary.expected(accepted)
        span, found = self._span(token), vocabulary.found(token)
        form = self._form or ("" if self.blocks else vocabulary.SPEC)
        self._report(Unexpected(span=span, found=found, expected=expected, form=form))
        if self.blocks:
            self._skip(token)
        else:
            self.over = True  # without a family there is nothing to hold on to


def _kinds(token: Token) -> list[str]:
    """Return the terminals that a token could have been read as elsewhere."""
    kinds = [token.type]
    if token in grammar.SOFT:
        kinds.append("NAME")
    if token.type == "NAME" or vocabulary.is_keyword(token.type):
        kinds.append("PATH")
    return kinds
