"""``clean -> mask`` with ``mask -> gone`` by clocks whose scales a second network learns."""

from xlmc.theory.needs import SCALED
from xlmc.words.noises.base import Range
from xlmc.words.noises.returns import Returns


class Rescales(Returns):
    """The word ``network NAME`` beside ``mask -> gone``: clocks have scales of each token."""

    slot = "a second network, which sets clocks"
    name = "network NAME beside mask -> gone"
    form = "network NAME { backbone dit; head NAME : scale }"
    meaning = (
        "A second network that sees the clean text: its heads multiply the hazards of the clocks "
        "of each token. It is trained by the same loss, as every second network, and no decoder "
        "asks it: heads of kind `rate` learn the hazards that result. In weights and decoders a "
        "survival is that at a scale of 1."
    )
    example = "network clocks { backbone dit; head insertion : scale }"
    default = "all tokens have the same clocks"
    needs = (SCALED,)
    partial = "rescales"
    summary = "which tokens are masks and which are gone, by clocks of their own."
    lost = "at what rate tokens come back into the gaps"
    head = "head gap : rate at gaps"
    amount = Range("t", "1e-3", "1", "stratified")
    likelihood = "scales"
    order = 2
    latex = (
        r"-\log p(x_0) \le \int_0^1 \Big[ h_1(t) \, E \sum_{i : x_t^i = m}",
        r"\left(\hat w_i - w_i + w_i \log \frac{w_i}{\hat w_i} - w_i \log p(x_0^i \mid x_t)\right)",
        r"+ h_2(t) \, E \sum_g \left(\hat v_g - v_g + v_g \log \frac{v_g}{\hat v_g}\right)",
        r"\Big] \, dt",
    )
