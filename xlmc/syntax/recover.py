"""Recovery from syntax errors: a spec is read token by token, also after an error.

It tracks the blocks and parentheses that are open and the statement being read. After an error the
statement is given up, or a missing token is made up. Nothing is built from this reading. A
statement has one error at most, and a file twenty.
"""

from attrs import define
from lark import Token

from xlmc.diagnostics.diagnostic import Diagnostic
from xlmc.diagnostics.source import Source, Span
from xlmc.syntax import grammar, vocabulary
from xlmc.syntax.cursor import Cursor, Saved

_MOST = 20  # errors of one file that are reported


@define
class Block:
    """A block that is open: its name, its brace, and the state in which an entry can start."""

    word: str
    brace: Token
    inside: Saved
    damaged: bool = False  # an entry was given up


class Recovery:
    """A reader of any spec to its end; a subclass reports what is wrong."""

    def __init__(self, source: Source, verbs: vocabulary.Verbs) -> None:
        self.source = source
        self.verbs = verbs
        self.cursor = Cursor(source)
        self.problems: list[Diagnostic] = []
        self.blocks: list[Block] = []
        self.outside = self.cursor.save()  # before the family
        self.family: Block | None = None
        self.statement: list[Token] = []  # what was read of it
        self.parens: list[Token] = []  # open ones of this statement
        self.last: Token | None = None  # the last token but ends of lines
        self.closed: Token | None = None  # the brace that ended the family
        self.pending: Token | None = None  # read, but not used
        self.reported = False  # an error of this statement
        self.over = False

    # Going forward

    def read(self) -> None:
        """Read the whole text and collect what is wrong."""
        while not self.over and len(self.problems) < _MOST:
            token = self._next()
            if self.parens and token.type == "_END" and not token.startswith(";"):
                continue
            if not self._take(token):
                self._mend(token)
            self.over |= token.type == "$END"

    def _next(self) -> Token:
        token, self.pending = self.pending or self.cursor.next(), None
        return token

    def _take(self, token: Token) -> bool:
        """Feed a token and keep account of blocks, parentheses and statements."""
        if not self.cursor.feed(token):
            return False
        if token.type == "_END":
            self._new_statement()
            return True
        self.last = token
        if token.type == "_LBRACE":
            self._open(token)
        elif token.type == "_RBRACE":
            self._close(token)
        else:
            self.statement.append(token)
            if token.type in grammar.OPENING:
                self.parens.append(token)
            elif token.type in grammar.CLOSING:
                self.parens.pop()
        return True

    def _new_statement(self) -> None:
        self.statement, self.parens, self.reported = [], [], False

    def _open(self, brace: Token) -> None:
        keywords = [vocabulary.sign(t.type) for t in self.statement if t.type != "REPLACE"]
        self.blocks.append(Block(keywords[0], brace, self.cursor.save()))
        self.family = self.family or self.blocks[0]
        self._new_statement()

    def _close(self, brace: Token) -> None:
        self.blocks.pop()
        self._new_statement()
        self.statement = [brace]
        if not self.blocks:
            self.closed = brace

    # Going on after an error

    def _mend(self, token: Token) -> None:
        """Report a token that does not fit, and find a place to continue."""
        raise NotImplementedError

    def _report(self, problem: Diagnostic) -> None:
        if not self.reported:
            self.problems.append(problem)
        self.reported = True

    def _restart(self) -> None:
        """Give the statement up and wait for another one."""
        if self.blocks:
            self.blocks[-1].damaged = True
        self.cursor.restore(self.blocks[-1].inside if self.blocks else self.outside)
        self._new_statement()

    def _skip(self, token: Token) -> None:
        """Skip the rest of the statement, and the blocks that it opens."""
        parens, level = len(self.parens), 0
        self._restart()
        while token.type != "$END":
            if token.type == "_END" and level == 0:
                if parens <= 0 or token.startswith(";"):
                    return
                token = self._next()
                if token.type == "_RBRACE" or self._starts_entry(token):
                    break
                continue
            if token.type == "_RBRACE":
                if level == 0:
                    break
                parens = 0
            level += (token.type == "_LBRACE") - (token.type == "_RBRACE")
            parens += (token.type in grammar.OPENING) - (token.type in grammar.CLOSING)
            token = self._next()
        self.pending = token

    def _starts_entry(self, token: Token) -> bool:
        """Return whether an entry of some open block starts with a token, no name of an author."""
        if token.type in ("NAME", "PATH") and token not in self.verbs:
            return False
        return any(self.cursor.takes(token.type, start=b.inside) for b in self.blocks)

    def _close_by_force(self, brace: Token) -> None:
        """Leave a block as if it had been closed."""
        self._close(brace)
        if self.blocks:
            self.cursor.restore(self.blocks[-1].inside)

    def _insert(self, kind: str) -> None:
        """Continue as if a missing token were there."""
        assert self.last is not None
        assert self.last.start_pos is not None
        place = self.last.start_pos + len(self.last)
        self._take(Token(kind, vocabulary.sign(kind), place))

    # Places and words

    def _span(self, token: Token) -> Span:
        assert token.start_pos is not None
        return Span(self.source, token.start_pos, token.start_pos + len(token))

    def _after_last(self) -> Span:
        """Return the empty place after the last token."""
        end = self._span(self.last).end if self.last else 0
        return Span(self.source, end, end)

    @property
    def _block(self) -> str:
        return self.blocks[-1].word if self.blocks else ""

    @property
    def _form(self) -> str:
        return vocabulary.form(self._block, self.statement, self.verbs)

    @property
    def _after(self) -> str:
        return vocabulary.after(self._block, self.statement, self.verbs)

    def _on_new_line(self, token: Token) -> bool:
        """Return whether a token is on a later line than the one before it."""
        if token.type in ("_END", "$END"):
            return True
        return self.last is None or self._span(token).line > self._span(self.last).line
