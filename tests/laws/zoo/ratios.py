"""Specs whose heads give ratios of chances."""

from math import exp

from laws.zoo.masks import mask
from laws.zoo.spec import Spec, written_out

ANALYTIC = """decoder {
    param steps : Count = 4
    grid uniform(steps)
    step { unmask all; draw token from posterior }
  }
  decoder euler { step { unmask all; draw token from euler } }
  decoder guided {
    param w : Scale = 1.0
    guide cfg(scale = w, without = prompt)
  }
"""


def mask_ratios(backbone: str, decoders: str) -> str:
    """Masks whose head gives ratios."""
    made = mask("1 - t**2", "t ~ uniform(1e-3, 1)", backbone, over="tokens", decoders=decoders)
    made = made.replace("cross_entropy(x0)", "score_entropy(x0)")
    return made.replace("token : logits", "token : ratios")


RATIOS = written_out("sedd_uniform").replace("condition = sigma", "condition = t")

MORE = {  # of a few laws alone
    "ratios": Spec(
        RATIOS,
        lambda t: exp(1e-4 - 1e-4 ** (1 - t) * 20**t),
        lambda t: 0.0,  # not read
        low=1e-3,
    ),
    "ratios_even": Spec(
        RATIOS.replace("exp(1e-4 - 1e-4**(1 - t) * 20**t)", "1 - (1 - 1e-7) * t"),
        lambda t: 1 - (1 - 1e-7) * t,
        lambda t: -(1 - 1e-7),
        low=1e-3,
    ),
    "sedd": Spec(written_out("sedd"), low=1e-3),
    "mask_ratios": Spec(
        mask_ratios("dit(condition = t)", ANALYTIC),
        lambda t: 1 - t**2,
        lambda t: -2 * t,
        low=1e-3,
    ),
    "mask_ratios_blocked": Spec(
        mask_ratios(
            "rotary", ANALYTIC.replace("grid", "param size : Count = 2; blocks size; grid")
        ),
        lambda t: 1 - t**2,
        lambda t: -2 * t,
        low=1e-3,
    ),
}
