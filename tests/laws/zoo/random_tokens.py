"""Specs whose tokens become random ones, alone or beside masks, or are replaced."""

from functools import partial
from math import sqrt

from laws.zoo.masks import mask
from laws.zoo.spec import SHIPPED, Spec, written_out

UDLM = (SHIPPED / "udlm.xlm").read_text(encoding="utf-8")

EDITED = """  decoder plain {
    step { unmask above tau or quota (masked + steps_left - 1) / steps_left by confidence of sampled
      draw token with temperature, top_k, top_p }
  }

  collate {"""

MENDED = """family mended "Masks, and tokens that are replaced" {
  noise {
    clean -> mask | random share 0.2 | clean share 0.2  survival alpha(t) = 1 - t
    amount t ~ uniform(0, 1)
  }
  network { backbone rotary; head token : logits }
  loss { token : cross_entropy(x0) on struck }
  decoder {
    param steps : Count = 8
    param edit : Chance = 0.4
    param temperature : Scale = 1.0
    grid uniform(steps)
    step {
      unmask quota max(1, masked / steps_left) by confidence
      substitute above edit by confidence
      draw token with temperature
    }
  }
  decoder worst { step { unmask one by random; substitute quota 1 by margin } }
  decoder leading { step { unmask one by random; substitute one by confidence of sampled } }
  decoder blocky { blocks 2 }
  decoder again {
    step { remask chance 0.2; substitute above edit by margin; unmask quota masked / steps_left }
  }
  collate { text : bos [body] eos; seq2seq : prompt bos [body] eos }
}
"""

GIDD = written_out("gidd")


def clock(t: float, p: float = 0.1) -> float:
    """The survival of gidd with a share p of random tokens at t = 1/2."""
    return (1 - t) / (1 + 2 * p / (1 - p) * sqrt(t * (1 - t)))


MORE = {  # of a few laws alone
    "udlm": Spec(UDLM, low=1e-3),
    "gidd": Spec(GIDD, clock, low=1e-4, high=0.9999),
    "gidd_masks": Spec(GIDD.replace("Chance = 0.1", "Chance = 0.0"), low=1e-4, high=0.9999),
    "gidd_mixed": Spec(
        GIDD.replace("Chance = 0.1", "Chance = 0.2"), partial(clock, p=0.2), low=1e-4, high=0.9999
    ),
    "bert": Spec(written_out("bert"), low=0.15, high=0.15),
    "llada2": Spec(
        written_out("llada2")
        .replace("  collate {", EDITED)
        .replace("param block : Size = 32", "param block : Size = 2"),
        low=1e-3,
    ),
    "bert_mended": Spec(MENDED),
    "bert_half": Spec(
        mask("1 - t**2", "t ~ uniform(0, 1)", weight="", over="struck per sequence")
        .replace("clean -> mask", "clean -> mask | random share 0.5 | clean share 0.2")
        .replace("x0) on mask", "x0) on struck"),
        lambda t: 1 - t**2,
        lambda t: -2 * t,
    ),
    "bert_masks": Spec(
        mask("1 - t**2", "t ~ uniform(0, 1)", weight="", over="struck")
        .replace("clean -> mask", "clean -> mask | random share 0 | clean share 0")
        .replace("x0) on mask", "x0) on struck"),
        lambda t: 1 - t**2,
        lambda t: -2 * t,
    ),
    "random_square": Spec(
        UDLM.replace("= 1 - t ", "= 1 - t**2 "), lambda t: 1 - t**2, lambda t: -2 * t, low=1e-3
    ),
    "random_forgets": Spec(UDLM.replace(" from posterior", ""), low=1e-3),
    "udlm_corrected": Spec(
        UDLM.replace(
            "  collate {",
            "  decoder corrected {\n    param corrections : Count = 9\n    param cold : Scale = 1\n"
            "    finish over corrections {\n      substitute quota 1 by confidence of sampled\n"
            "      draw token with temperature = cold\n    }\n  }\n  collate {",
        ),
        low=1e-3,
    ),
}
