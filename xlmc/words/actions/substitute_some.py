"""``substitute`` by a rule: tokens in whose place the network now draws others."""

from xlmc.syntax import ast, query
from xlmc.theory.needs import SPOILED, arrow
from xlmc.theory.process import Process
from xlmc.words.actions.edit import Edit

BLIND = (
    "the network learns nothing about tokens that show, but under "
    "`clean -> mask | random share 0.1 | clean share 0.1`"
)


class SubstituteSome(Edit):
    """The word ``substitute`` with another rule than ``all``."""

    name = "substitute some"
    order = -3
    form = "substitute RULE by SCORE of WHICH"
    meaning = (
        "A token is drawn for every place that has one. Those that differ from the token that is "
        "there, and that the rule chooses by their score, replace it: `above P` those of which the "
        "network is sure. Under `blocks` of the noise tokens of the last block alone are replaced. "
        "A row, or a block, is done when a step fills no mask and replaces no token, or when its "
        "grid has ended. Where tokens become random ones it stands in `finish over N`."
    )
    example = "substitute above 0.9 by confidence of sampled"
    forms = ("substitute above 0.9 by confidence", "substitute one by confidence of sampled")
    simplest = "substitute above 0.9"
    needs = (arrow("clean", "mask"), SPOILED.because(BLIND))
    rules = ("above", "quota", "one")
    one_rule = "the tokens that come first by their score replace others"
    variable = "replaced"
    revises = True
    first = False
    effect = "{canvas}.write({places}, fresh[{places}[written]])"
    does = "replace tokens by likelier ones"
    breaks = "tokens are replaced in view of each other, several at once"

    def means(self, action: ast.Action) -> bool:
        """Return whether an action has its verb, and a rule that takes only some tokens."""
        if not super().means(action) or query.anew((action,)) is not None:
            return False
        return isinstance(action, ast.Act) and action.much.rule != "poisson"  # a rate of edits

    def why_not(self, process: Process) -> str:
        """Return why no token can be replaced under a process; "" if some can."""
        return self.lacking(self.needs, process)
