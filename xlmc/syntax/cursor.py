"""A parser that is fed by hand: it can look ahead, take a step back and go on after an error."""

from copy import copy
from typing import Any

from attrs import frozen
from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from xlmc.diagnostics.source import Source
from xlmc.syntax import grammar

STRAY = "STRAY"  # the type of a token for a character that no terminal begins with


@frozen
class Saved:
    """A state of the parser to come back to."""

    states: tuple[object, ...]
    values: tuple[object, ...]


class Cursor:
    """A text, the place reached in it, and what was understood so far."""

    def __init__(self, source: Source) -> None:
        """Start at the first character."""
        # Lark's interactive parser has hardly any types.
        self._parser: Any = grammar.parser().parse_interactive(source.text)
        self._end = len(source.text)

    def next(self) -> Token:
        """Return the next token as the parser would read it now; `$END`, repeatedly, at the end."""
        parser = self._parser
        try:
            token = next(parser.lexer_thread.lex(parser.parser_state), None)
        except UnexpectedToken as error:
            token = error.token
            if token.type == "PATH":
                token.type = "NAME"
        except UnexpectedCharacters as error:
            return self._skip_character(error)
        return Token("$END", "", self._end) if token is None else token

    def _skip_character(self, error: UnexpectedCharacters) -> Token:
        state = self._parser.lexer_thread.state
        character = state.text.text[error.pos_in_stream]
        state.line_ctr.feed(character)
        return Token(STRAY, character, error.pos_in_stream)

    def skip_to(self, place: int) -> None:
        """Continue reading at a later character."""
        state = self._parser.lexer_thread.state
        state.line_ctr.feed(state.text.text[state.line_ctr.char_pos : place])

    def feed(self, token: Token) -> bool:
        """Take a token; a token that does not fit leaves the parser as it was."""
        before = self.save()
        try:
            self._parser.feed_token(token)
        except UnexpectedToken:
            self.restore(before)
            return False
        return True

    def accepts(self, start: Saved | None = None) -> set[str]:
        """Return the terminals that fit now, or in a saved state."""
        accepted: set[str] = self._probe(start).accepts()
        return accepted

    def takes(self, *kinds: str, start: Saved | None = None) -> bool:
        """Return whether tokens of these kinds would fit one after another."""
        probe = self._probe(start)
        try:
            for kind in kinds:
                probe.feed_token(Token(kind, ""))
        except UnexpectedToken:
            return False
        return True

    def _probe(self, start: Saved | None) -> Any:
        """Return a copy of the parser that builds no tree."""
        probe = self._parser.copy(deepcopy_values=False)
        state = probe.parser_state
        state.parse_conf = copy(state.parse_conf)
        state.parse_conf.callbacks = {}
        if start:
            state.state_stack, state.value_stack = list(start.states), list(start.values)
        return probe

    def save(self) -> Saved:
        """Return the present state, without the place in the text."""
        state = self._parser.parser_state
        return Saved(tuple(state.state_stack), tuple(state.value_stack))

    def restore(self, saved: Saved) -> None:
        """Return to a saved state, at the present place in the text."""
        state = self._parser.parser_state
        state.state_stack[:], state.value_stack[:] = saved.states, saved.values
