"""``prefix``: the keys and values of the tokens so far are kept."""

from collections.abc import Mapping

from xlmc.syntax import ast, query
from xlmc.theory.needs import RIGHTWARD, unmet
from xlmc.theory.process import Process
from xlmc.words.reuses.base import Reuse


class Prefix(Reuse):
    """The word ``prefix``."""

    name = "prefix"
    form = "reuse while prefix"
    meaning = (
        "The keys and values of the tokens so far are kept: the cache of a causal network. Under "
        "`blocks` of the noise those of the blocks that are done."
    )
    example = "reuse while prefix"
    needs = (
        RIGHTWARD.because("under full attention every token changes the answer at those before it"),
    )

    def why_not(
        self, family: ast.Family, process: Process, causal: Mapping[str, bool]
    ) -> tuple[str, str]:
        """Return why keys and values cannot be kept."""
        missing = unmet(self.needs, process)
        if process.permuted:
            return "xlmc computes all tokens of a drawn order at every call", "drop `reuse`"
        if missing is not None and process.known:
            return missing.why, "drop `reuse`"
        if process.blocked:
            return "", ""
        backbone = query.first(query.entries(family, "network"), ast.Backbone)
        if backbone is not None and backbone.python is not None:
            return "xlmc can keep the keys and values of its own backbones only", "drop `reuse`"
        if not causal.get(name := query.backbone(family), True):
            own = next(other for other, keeps in causal.items() if keeps)
            hint = f"drop `reuse`, or write `backbone {own}`"
            return f"`{name}` does not return its keys and values", hint
        return "", ""
