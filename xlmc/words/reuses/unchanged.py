"""``unchanged``: the network does not run for a row that a step leaves unchanged."""

from collections.abc import Mapping

from xlmc.syntax import ast, query
from xlmc.theory.needs import NOISE, REMOVED, arrow, either, unmet
from xlmc.theory.process import Process
from xlmc.words.reuses.base import Reuse


class Unchanged(Reuse):
    """The word ``unchanged``."""

    name = "unchanged"
    form = "reuse while unchanged"
    meaning = (
        "The network does not run for a row in which a step reveals and inserts nothing and that "
        "no step has changed; the time must not be an input of it."
    )
    example = "reuse while unchanged"
    needs = (
        NOISE.because("every token changes the row"),
        either(arrow("clean", "mask"), REMOVED).because("every step changes the row"),
    )

    def why_not(
        self, family: ast.Family, process: Process, causal: Mapping[str, bool]
    ) -> tuple[str, str]:
        """Return why an answer cannot be used again."""
        del causal
        missing = unmet(self.needs, process)
        if missing is not None and process.ordered:
            return missing.why, "write `reuse while prefix`"
        if (carry := query.carry(family)) is not None:
            why = f"`{carry.name}` changes from call to call, even where the row does not"
            return why, "drop `reuse`"
        if process.drafts:
            return "a step may change any token, and moves the others", "drop `reuse`"
        if query.condition(family) is not None:
            hint = "drop `reuse`, or the backbone's condition"
            return "the backbone reads the time, which changes", hint
        if missing is not None and process.known:
            return missing.why, "drop `reuse`"
        return "", ""

    def beside(self, section: ast.Section, process: Process) -> tuple[str, str]:
        """Return that a step inserts one token into every row, and a hint; "" if it does not."""
        step = query.first(section.entries, ast.Step)
        insert = query.first(step.actions, ast.Insert) if step is not None else None
        if not process.adds_tokens or insert is None or insert.much.rule != "one":
            return "", ""
        why = "every step inserts a token, and so changes the row"
        return why, "drop `reuse`, or insert by chance: `insert tokens chance 0.5`"
