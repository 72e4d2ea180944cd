"""``clean -> draft``: a text becomes a draft, edit by edit."""

from xlmc.theory.needs import DRAFTED
from xlmc.words.noises.base import Noise, Range


class Drafts(Noise):
    """The word ``clean -> draft``."""

    name = "clean -> draft"
    form = "clean -> draft  survival NAME(t) = EXPR"
    meaning = (
        "The text and a draft are aligned with as few edits as there can be, any such alignment as "
        "likely. Each of its columns shows the draft with the chance 1 - NAME(t), and else the "
        "text: a token that only the text has is missing or there, one that only the draft has is "
        "there or not, and of a pair one of the two shows."
    )
    example = "clean -> draft  survival alpha(t) = 1 - t"
    needs = (DRAFTED,)
    last = ("clean", "draft")
    partial = "drafts"
    summary = "a text on its way to a draft. What stays closes up."
    lost = "the edits that make the text of the draft"
    head = "head new : logits at gaps"
    amount = Range("t", "1e-3", "1", "stratified")
    uncounted = "nothing shows how many edits a row is from its text"
    forgets = True
    undo = "insert tokens poisson {number} * reveal({clock})"
    number = "missing"
    stop = "drop the stop: the grid ends the decoder"
    unending = "any token may change, up to the last step of the grid"
    likelihood = rates = "edits"
    of_rates = latex = (
        r"-\log p(x_0) \le \int_0^1 h(t) \, E \Big[\sum_{\mathrm{places}}",
        r"\left(\hat n - n - n \log \hat n\right)",
        r"+ \sum_{\mathrm{edits}} \log m - \log p(\mathrm{token} \mid x_t)",
        r"\Big] \, dt",
    )
