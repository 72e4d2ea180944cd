"""``last = eos``: the last token is a special that ends a row."""

from collections.abc import Iterator

from xlmc.diagnostics.diagnostic import Diagnostic, Related, suggest
from xlmc.diagnostics.semantic_errors import UnknownWord, WrongStop
from xlmc.syntax import ast, query
from xlmc.theory.needs import ORDER
from xlmc.words.stops.base import Stop

ENDS = ("eos",)  # the specials that can end a row


class Last(Stop):
    """The word ``last = eos``."""

    name = "last = eos"
    form = "stop when last = eos"
    meaning = "The last token is `eos`."
    example = "stop when last = eos or length = limit"
    needs = (ORDER.because("tokens do not come in order: the last one may come first"),)
    kind = "last"

    def holds(self, one: ast.Condition, family: ast.Family) -> bool:
        """Return whether the last token is compared with another one."""
        del family
        match one:
            case ast.Compare(op="=", left=ast.Name(id="last"), right=ast.Name()):
                return True
        return False

    def token(self, one: ast.Condition) -> str:
        """Return the token on the right."""
        assert isinstance(one, ast.Compare)
        assert isinstance(one.right, ast.Name)
        return one.right.id

    def check(
        self, one: ast.Condition, section: ast.Section, family: ast.Family
    ) -> Iterator[Diagnostic]:
        """Complain about a special that ends no row, and layouts that never predict it."""
        del section
        assert isinstance(one, ast.Compare)
        assert isinstance(one.right, ast.Name)
        special = one.right
        if special.id not in ENDS:
            yield UnknownWord(
                span=special.span,
                word=special.id,
                what="a special that ends a row",
                known="`eos`",
                hint=suggest(special.id, ENDS),
            )
            return
        for layout in query.layouts(family):
            if special.id not in query.predicted(layout):
                why = f"layout `{layout.name}` never predicts `{special.id}`"
                related = (Related(layout.span, "this layout"),)
                hint = f"put it inside the brackets: `[body {special.id}]`"
                yield WrongStop(span=one.span, why=why, hint=hint, related=related)
