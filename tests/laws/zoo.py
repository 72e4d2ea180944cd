"""The specs whose packages the laws are held against: small, and between them every primitive."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import cos, exp, log, pi, sin, sqrt
from pathlib import Path

from xlmc.compiler import checked
from xlmc.resolve.defaults import explicit
from xlmc.syntax import printer

SHIPPED = Path(__file__).parents[2] / "spec"


@dataclass(frozen=True)
class Spec:
    """A spec with what the tests know of it without asking the compiler.

    `alpha` is its survival and `slope` the derivative; `beta` and `beta_slope` are those of a
    second arrow; `low` and `high` are the range of t.
    """

    text: str
    alpha: Callable[[float], float] = lambda t: 1 - t
    slope: Callable[[float], float] = lambda t: -1.0
    low: float = 0.0
    high: float = 1.0
    beta: Callable[[float], float] = lambda t: 1 - t
    beta_slope: Callable[[float], float] = lambda t: -1.0

    @property
    def shift(self) -> int:
        """How far to the right of a hidden state its answer is about."""
        return int(self.has("shifted"))

    def has(self, *pieces: str) -> bool:
        return all(piece in self.text for piece in pieces)

    @property
    def two(self) -> bool:
        """Whether tokens become masks, and masks go."""
        return self.has("-> mask", "-> gone")

    @property
    def kernel(self) -> float:
        """What the nearest token that a mask can see counts; 0 where all count alike."""
        found = re.search(r"(?:kernel|rho) : Chance = ([\d.]+)", self.text)
        return float(found[1]) if found else 0.0

    @property
    def samplers(self) -> list[str]:
        """The names of the decoders, `default` first."""
        return ["default", *re.findall(r"decoder ([a-z_]+) +[{]", self.text)]

    @property
    def greedy(self) -> list[str]:
        """The decoders whose steps take the likeliest token."""
        if self.has("param temperature : Scale = 0.0"):
            return self.samplers
        return [
            name for name in self.samplers if re.search(r"step *\{[^}]*greedy", self._own(name))
        ]

    def _own(self, sampler: str) -> str:
        """What a decoder's own section says."""
        chunks = re.split(r"^ +decoder\b(?= *[a-z_]* *[{])", self.text, flags=re.MULTILINE)[1:]
        found = {re.match(r" *([a-z_]*)", chunk)[1] or "default": chunk for chunk in chunks}
        return found[sampler]

    def says(self, sampler: str, pattern: str) -> re.Match[str] | None:
        """Where the section of a decoder, or else that of `default`, says something."""
        found = re.search(pattern, self._own(sampler))
        return found or re.search(pattern, self._own("default"))

    def cuts(self, sampler: str) -> list[str]:
        """The params by which the draw of a token departs from the law of the head."""
        found = self.says(sampler, r"draw \w+(?: with ([\w, ]+))?")
        assert found is not None
        return re.findall(r"temperature|top_k|top_p", found[1] or "")

    @property
    def over(self) -> str:
        found = re.search(r"mean over ([a-z]+(?: per [a-z]+)?)", self.text)
        return found[1] if found else "tokens"


def written_out(name: str) -> str:
    """A shipped spec with its parents and defaults."""
    return printer.text(explicit(checked(SHIPPED / f"{name}.xlm")[0]))


MASK = """family toy "Toy" {{
  noise {{
    clean -> mask survival alpha(t) = {alpha}
    amount {amount}
  }}
  network {{ backbone {backbone}; head token : logits }}
  loss {{ token : cross_entropy(x0) on mask{weight}; mean over {over} }}
  {decoders}
  collate {{
    text    : bos [body] eos
    seq2seq : prompt bos [body eos pad]
    infill  : bos [body] eos keeping given
  }}
}}
"""
CHANCE = """decoder {
    param steps : Count = 4
    param temperature : Scale = 1.0
    param top_k : Count = 0
    param top_p : Chance = 1.0
    grid uniform(steps)
    step { unmask chance reveal(alpha); draw token with temperature, top_k, top_p }
  }
"""
REUSED = CHANCE.replace("    step {", "    reuse while unchanged\n    step {")
EVENTS = "  decoder first_hitting { grid events; step { unmask one by random; draw token } }\n"
ORDERS = """decoder {
    param steps : Count = 3
    param order = confidence | margin | entropy | random | left
    grid uniform(steps)
    step { unmask quota masked / steps_left by order; draw token }
  }
  decoder single { drop grid; step { unmask one by order; draw token } }
  decoder hasty { drop grid; step { unmask one by confidence of sampled; draw token } }
  decoder leftmost { drop grid; step { unmask one by left; draw token greedy } }
  decoder cooled {
    param temperature : Scale = 0.2
    param top_p : Chance = 1.0
    drop grid
    step { unmask one by order of tempered; draw token with temperature, top_p }
  }
  decoder loud { step { unmask quota masked / steps_left by order temperature 0.5; draw token } }
  decoder threshold {
    param tau : Chance = 0.7
    drop grid
    step { unmask above tau by confidence; draw token }
  }
  decoder unfinished { step { unmask chance 0.3; draw token }; stop when no mask }
  decoder at_once { drop grid; step { unmask all; draw token } }
  decoder quick { step { unmask quota masked / steps_left; draw token }; reuse while unchanged }
  decoder slow { step { unmask chance 0.3; draw token }; finish { unmask all; draw token greedy } }
"""
RULES = """decoder {
    param steps : Count = 3
    grid uniform(steps)
    step { unmask quota masked / steps_left by confidence; draw token }
  }
  decoder plain { step { unmask quota 2 by confidence } }
  decoder annealed {
    param heat : Scale = 1.0
    step { unmask quota 2 by confidence temperature heat * s }
  }
  decoder heated {
    param heat : Scale = 1.0
    step { unmask quota 2 by confidence temperature heat * masked / 3 }
  }
  decoder patient {
    param tau : Chance = 0.9
    drop grid
    step { unmask above tau else quota 2 by confidence }
  }
  decoder joined {
    param tau : Chance = 0.9
    drop grid
    step { unmask above tau or quota 2 by confidence }
  }
  decoder swapped {
    param tau : Chance = 0.9
    drop grid
    step { unmask quota 2 or above tau by confidence }
  }
  decoder three { drop grid; step { unmask above 0.85 else above 0.7 or quota 2 by confidence } }
  decoder trying { drop grid; step { unmask chance 0.3 else one by left } }
  decoder measured { drop grid; step { unmask quota max(1, masked * confidence) by confidence } }
  decoder bold { let sure = confidence ** 2; step { unmask chance sure } }
  decoder factored {
    param factor : Scale = 1.0
    drop grid
    step { unmask factor factor by confidence }
  }
  decoder planned { step { remask quota 1 by confidence of current; unmask quota 2 by random } }
  decoder shaken {
    param eta : Chance = 0.5
    step { remask chance eta * (1 - confidence); unmask quota 2 by random }
  }
  decoder scattered { step { remask poisson s * 2 by random; unmask quota 2 by random } }
  decoder tepid {
    param heat : Scale = 1.0
    step { remask quota 1 by margin of current temperature heat * s; unmask quota 2 by random }
  }
"""
BOUNDED = """decoder {
    param gamma : Scale = 0.5
    param order = entropy | confidence | margin
    step { unmask within gamma by order; draw token }
  }
  decoder of_sampled { step { unmask within gamma by confidence of sampled; draw token } }
  decoder of_half { step { unmask within masked / 4 by margin; draw token } }
"""
DREAM = """decoder {
    param steps : Count = 4
    param top_p : Chance = 1.0
    param order = confidence | margin | entropy | random
    grid uniform(steps)
    step { unmask quota masked * (1 - s / t) by order of sampled; draw token with top_p }
    stop when no mask or text = stop_strings
  }
  decoder origin { step { unmask chance 1 - s / t; draw token } }
  decoder drawn {
    param order_temperature : Scale = 0.2
    drop grid
    step { unmask one by confidence temperature order_temperature; draw token }
  }
"""
BLOCKS = """decoder {
    param steps : Count = 4
    param size : Count = 2
    grid uniform(steps)
    step { unmask quota masked / steps_left by confidence; draw token }
    blocks size
  }
  decoder whole { drop blocks }
  decoder by_chance { step { unmask chance reveal(alpha); draw token }; reuse while unchanged }
  decoder ancestral {
    drop blocks
    step { unmask chance reveal(alpha); draw token }
    reuse while unchanged
  }
  decoder single { drop grid; step { unmask one by entropy; draw token } }
  decoder leftmost { drop grid; blocks 1; step { unmask one by confidence; draw token greedy } }
  decoder slow { step { unmask chance 0.4 / steps_left; draw token } }
  decoder doubting {
    step { remask quota 1 by confidence; unmask quota 1 + masked / steps_left; draw token }
  }
"""
GUIDED = """decoder {
    param steps : Count = 3
    param w : Scale = 1.5
    grid uniform(steps)
    step { unmask chance reveal(alpha); draw token }
    guide cfg(scale = w, without = prompt)
  }
  decoder unguided { drop guide }
  decoder single { drop grid; step { unmask one by confidence; draw token } }
  decoder half {
    step { unmask chance 0.5; draw token }
    guide cfg(scale = 0.5, without = given)
    finish { unmask all; draw token greedy }
  }
"""
BACK = """decoder {
    param steps : Count = 5
    param eta : Chance = 0.3
    let back = min(eta, (1 - alpha(s)) / max(alpha(t), 1e-9))
    grid uniform(steps)
    step {
      remask chance back
      unmask chance reveal(alpha) + back * alpha(t) / (1 - alpha(t))
      draw token
    }
  }
  decoder doubting {
    param worst : Count = 1
    step {
      remask quota worst by confidence
      unmask quota 1 + masked / steps_left by confidence of sampled
      draw token
    }
    reuse while unchanged
  }
  decoder careless {
    param worst : Count = 1
    step { remask quota worst; unmask chance 0.5; draw token }
    finish { unmask all; draw token greedy }
  }
  decoder revised { step { remask one by confidence; unmask chance 0.5; draw token } }
"""
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
GONE = """family toy "Toy" {{
  noise {{
    clean -> gone survival alpha(t) = {alpha}
    amount {amount}
  }}
  network {{
    backbone {backbone}
    head slot : logits at gaps
    head done : chance at cls
  }}
  loss {{
    param stop_scale : Scale = 1.0
    slot : joint_cross_entropy(gone){weight}
    done : binary_cross_entropy(none gone) weight {stop_weight}
    mean over {over}
  }}
  decoder {{
    param temperature : Scale = 1.0
    param top_k : Count = 0
    param top_p : Chance = 1.0
    step {{ insert tokens one; draw slot with temperature, top_k, top_p }}
    stop chance done or length = limit
  }}
  decoder staged {{
    param stop_above : Chance = 0.5
    step {{
      insert tokens one
      pick gap with temperature, top_k
      draw slot with temperature, top_p
    }}
    stop when done > stop_above or text = stop_strings or length = limit
  }}
  decoder full {{ step {{ insert tokens one; draw slot greedy }}; stop when length = limit }}
  collate {{
    text    : cls bos [body]
    seq2seq : cls prompt bos [body] eos
    infill  : cls bos [body eos] keeping given
  }}
}}
"""
ENDED = """  decoder several {
    step { insert tokens above 0.6 else quota 2 by confidence; draw slot greedy }
    stop when done > 0.5 or length = limit
  }
  decoder chances {
    step { insert tokens quota 2 by confidence; draw slot greedy }
    stop chance done or length = limit
  }
"""
ORACLE = "  decoder oracle { stop when length = oracle }\n"
NONE = """family toy "Toy" {{
  noise {{ none }}
  network {{ backbone rotary; attention causal; head token : logits }}
  loss {{
    {param}
    token : cross_entropy(following){weight}
    mean over {over}
  }}
  decoder {{
    param temperature : Scale = 1.0
    param top_k : Count = 0
    param top_p : Chance = 1.0
    step {{ append one; draw token with temperature, top_k, top_p }}
    stop when {stop}length = limit
    {reuse}
  }}
  {decoders}
  collate {{
    text    : {before} {inside}
    seq2seq : prompt {before} {inside}
    infill  : {before} {inside} keeping prefix
    pad prompt {side}
  }}
}}
"""
BOTH = """family toy "Toy" {{
  noise {{
    clean -> mask survival alpha(t) = {alpha}
    mask -> gone survival beta(t) = {beta}
    amount {amount}
  }}
  network {{
    backbone dit(condition = t)
    head token : logits
    head gap : {head} at gaps
  }}
  loss {{
    token : cross_entropy(x0) on mask{weight}
    gap : {gap}
    mean over {over}
  }}
  decoder {{
    param steps : Count = 8
    param temperature : Scale = 1.0
    grid uniform(steps)
    step {{
      unmask chance reveal(alpha)
      draw token with temperature
      insert masks {insert}
    }}
    overflow {overflow}
  }}
  decoder adaptive {{
    param order = confidence | margin | entropy | left | random
    step {{
      unmask poisson masked * reveal(alpha) by order
      draw token with temperature
      insert masks {insert}
    }}
  }}
  decoder single {{
    step {{ unmask one by left; draw token; insert masks {insert} }}
    finish {{ unmask all; draw token greedy }}
    stop when text = stop_strings
  }}
  collate {{
    text    : bos [body] eos
    seq2seq : prompt bos [body] eos
    infill  : bos [body] eos keeping given
  }}
}}
"""
# What a user writes who mixes primitives that nobody mixed: two clocks, a cosine for insertion,
# and the mask of the lowest entropy first.
MIXED = """family mixed "Any length, the surest mask first" {
  noise {
    clean -> mask  survival alpha(t) = 1 - t; mask -> gone  survival beta(t) = cos(pi / 2 * t)
  }
  network { backbone dit(condition = t); head token : logits; head gap : count at gaps }
  loss { token : cross_entropy(x0) on mask  weight bound; gap : poisson(gone)  weight bound }
  decoder {
    param steps : Count = 32; grid uniform(steps)
    step { unmask poisson masked * reveal(alpha) by entropy; draw token
           insert masks poisson gap * reveal(beta) }
  }
  collate { text    : bos [body] eos
            seq2seq : prompt bos [body] eos }
}
"""
EVERY = (
    " weight hazard(alpha) + dsigma(alpha) + sigma(alpha) - alpha'(t) + alpha(t) + corrupted(alpha)"
)


TWO_BACK = """family toy "Two clocks that take tokens back" {
  noise { clean -> mask survival alpha(t) = 1 - t; mask -> gone survival beta(t) = 1 - t }
  network { backbone dit(condition = t); head token : logits; head gap : count at gaps }
  loss {
    token : cross_entropy(x0) on mask  weight bound
    gap : poisson(gone)  weight bound
    mean over gone per sequence
  }
  decoder {
    param steps : Count = 6
    param eta : Chance = 0.3
    let hidden = max(-t * log(t), 1e-9)  # the chance that a token is a mask at t
    let shown = max(1 - t + t * log(t), 1e-9)  # and that it is clean
    let back = eta * min(1, s / t * hidden / shown)
    grid uniform(steps)
    step {
      remask chance back
      unmask chance min(1, reveal(alpha) + back * shown / hidden)
      draw token
      insert masks poisson gap * reveal(beta)
    }
  }
  decoder plain {
    step { unmask chance reveal(alpha); draw token; insert masks poisson gap * reveal(beta) }
  }
  decoder doubting {
    param worst : Count = 1
    step {
      remask quota worst by confidence
      unmask chance reveal(alpha)
      draw token
      insert masks poisson gap * reveal(beta)
    }
  }
  decoder windowed {
    param size : Count = 2
    blocks size
    step { unmask chance reveal(alpha); draw token; insert masks poisson gap * reveal(beta) }
  }
  decoder one_by_one {
    blocks 1
    step { unmask one by random; draw token; insert masks poisson gap * reveal(beta) }
  }
  decoder careless {
    blocks 2
    step {
      remask chance 0.1
      unmask one by confidence of sampled
      draw token
      insert masks poisson gap * reveal(beta)
    }
    finish { unmask all; draw token greedy }
  }
  collate {
    text    : bos [body] eos
    seq2seq : prompt bos [body] eos
    infill  : bos [body] eos keeping given
  }
}
"""

TIMELESS = """family toy "Two clocks, and a network without the time" {
  noise { clean -> mask survival alpha(t) = 1 - t; mask -> gone survival beta(t) = 1 - t }
  network { backbone rotary; head token : logits; head gap : count at gaps }
  loss { token : cross_entropy(x0) on mask; gap : poisson(gone) }
  decoder {
    param steps : Count = 24
    grid uniform(steps)
    step { unmask chance reveal(alpha); draw token; insert masks poisson 0.2 * gap * reveal(beta) }
    reuse while unchanged
  }
  decoder anew { drop reuse }
  decoder doubting {
    param often : Chance = 0.2
    step {
      remask quota often + t by confidence
      unmask chance reveal(alpha)
      draw token
      insert masks poisson 0.2 * gap * reveal(beta)
    }
  }
  decoder doubting_anew {
    param often : Chance = 0.2
    step {
      remask quota often + t by confidence
      unmask chance reveal(alpha)
      draw token
      insert masks poisson 0.2 * gap * reveal(beta)
    }
    drop reuse
  }
  collate {
    text    : bos [body] eos
    seq2seq : prompt bos [body] eos
    infill  : bos [body] eos keeping given
  }
}
"""


def mask(
    alpha: str = "1 - t",
    amount: str = "t ~ uniform(0, 1)",
    backbone: str = "dit",
    weight: str = " weight bound",
    over: str = "sequences",
    decoders: str = REUSED + EVENTS,
) -> str:
    return MASK.format(
        alpha=alpha, amount=amount, backbone=backbone, weight=weight, over=over, decoders=decoders
    )


def gone(
    alpha: str = "1 - t",
    amount: str = "count ~ uniform(0, length)",
    backbone: str = "rotary",
    weight: str = "",
    stop_weight: str = "stop_scale",
    over: str = "sequences",
) -> str:
    return GONE.format(
        alpha=alpha,
        amount=amount,
        backbone=backbone,
        weight=weight,
        stop_weight=stop_weight,
        over=over,
    )


def none(
    weight: str = "",
    over: str = "tokens",
    decoders: str = "",
    reuse: str = "reuse while prefix",
    eos: bool = True,
    before: str = "bos",
    side: str = "left",
) -> str:
    return NONE.format(
        param="param scale : Scale = 1.0" if "scale" in weight else "",
        weight=weight,
        over=over,
        decoders=decoders,
        reuse=reuse,
        stop="last = eos or " if eos else "",
        inside="[body eos]" if eos else "[body]",
        before=before,
        side=side,
    )


def both(
    alpha: str = "1 - t",
    beta: str = "1 - t",
    amount: str = "t ~ uniform(0, 1)",
    head: str = "count",
    weight: str = " weight bound",
    gap: str = "poisson(gone) weight bound",
    over: str = "sequences",
    insert: str = "poisson gap * reveal(beta)",
    overflow: str = "skip_row",
) -> str:
    return BOTH.format(
        alpha=alpha, beta=beta, amount=amount, head=head, weight=weight, gap=gap, over=over,
        insert=insert, overflow=overflow,
    )  # fmt: skip


def _cos(t: float) -> float:
    return cos(pi * t / 2)


def _dcos(t: float) -> float:
    return -pi / 2 * cos(pi * (1 - t) / 2)


def shipped(name: str) -> str:
    """A shipped spec with its parents written out."""
    return printer.text(explicit(checked(SHIPPED / f"{name}.xlm")[0]))


def mask_ratios(backbone: str, decoders: str) -> str:
    """Masks whose head gives ratios."""
    made = mask("1 - t**2", "t ~ uniform(1e-3, 1)", backbone, over="tokens", decoders=decoders)
    made = made.replace("cross_entropy(x0)", "score_entropy(x0)")
    return made.replace("token : logits", "token : ratios")


SPECS = {
    "mdlm": Spec((SHIPPED / "mdlm.xlm").read_text(encoding="utf-8")),
    "llada": Spec(shipped("llada"), low=1e-3),
    "remdm": Spec(shipped("remdm")),
    "mlm": Spec((SHIPPED / "mlm.xlm").read_text(encoding="utf-8")),
    "ilm": Spec((SHIPPED / "ilm.xlm").read_text(encoding="utf-8")),
    "mask_t": Spec(mask()),
    "mask_orders": Spec(
        mask(amount="t ~ uniform(0, 1) stratified", weight="", over="masked", decoders=ORDERS)
    ),
    "mask_mlm": Spec(
        mask(
            amount="count ~ uniform(0, length)", weight="", over="masked per sequence",
            backbone="rotary",
        )
    ),
    "mask_square": Spec(
        mask("1 - t**2", "t ~ uniform(0, 1) antithetic", over="tokens"),
        lambda t: 1 - t * t,
        lambda t: -2 * t,
    ),
    "mask_cosine": Spec(
        mask("cos(pi*t/2)", "t ~ uniform(0, 1)", "dit(condition = t)", over="tokens per sequence",
             decoders=CHANCE + EVENTS),
        _cos,
        _dcos,
    ),
    "mask_counted": Spec(
        mask("1 - cos(pi/2*(1 - t))", "count ~ uniform(1, length)", "dit(condition = t)",
             decoders=CHANCE + EVENTS),
        lambda t: 1 - _cos(1 - t),
        lambda t: _dcos(1 - t),
    ),
    "mask_leftover": Spec(
        mask("1 - (1 - 1e-3) * t", "t ~ uniform(1e-3, 1) antithetic", "dit(condition = sigma)",
             over="block", decoders=CHANCE),
        lambda t: 1 - (1 - 1e-3) * t,
        lambda t: -(1 - 1e-3),
        low=1e-3,
    ),
    "mask_cubic": Spec(
        mask("1 - (2*t**3 - 3*t**2 + 2*t)", "t ~ uniform(0.01, 0.99)", "dit(condition = t)",
             EVERY, decoders=CHANCE + EVENTS),
        lambda t: 1 - (2 * t**3 - 3 * t**2 + 2 * t),
        lambda t: -(6 * t**2 - 6 * t + 2),
        low=0.01,
        high=0.99,
    ),
    "mask_log": Spec(
        mask("1 - log(1 + t)/log(2)", "t ~ uniform(0.01, 0.99)", "dit(condition = t)",
             EVERY, decoders=CHANCE + EVENTS),
        lambda t: 1 - log(1 + t) / log(2),
        lambda t: -1 / ((1 + t) * log(2)),
        low=0.01,
        high=0.99,
    ),
    "mask_fixed": Spec(
        mask("(1 - t)**2", "t ~ fixed(0.4)", weight="", over="masked", decoders=BOUNDED),
        lambda t: (1 - t) ** 2,
        lambda t: -2 * (1 - t),
        low=0.4,
        high=0.4,
    ),
    "dream": Spec(written_out("dream").replace("Count = 512", "Count = 6"), low=1e-3),
    "mask_shifted": Spec(
        mask(
            amount="t ~ uniform(1e-3, 1)", backbone="qwen2", over="masked", decoders=DREAM,
            weight=" weight 0.5 * visible(geometric(kernel))",
        )
        .replace("head token : logits", "head token : logits shifted")
        .replace("loss {", "loss { param kernel : Chance = 0.3;")
        .replace("prompt bos [", "prompt ["),
        low=1e-3,
    ),
    "mask_blocks": Spec(
        mask("(1 - t)**2", weight="", over="masked", decoders=BLOCKS),
        lambda t: (1 - t) ** 2,
        lambda t: -2 * (1 - t),
    ),
    "mask_guided": Spec(
        mask(amount="t ~ uniform(0, 1)", backbone="dit(condition = t)", over="block",
             decoders=GUIDED)
    ),
    "mask_back": Spec(
        mask("cos(pi*t/2)", "t ~ uniform(0, 1)", over="sequences", decoders=BACK), _cos, _dcos
    ),
    "gone_bound": Spec(gone(weight=" weight bound", stop_weight="stop_scale * bound")),
    "gone_balanced": Spec(
        gone()
        .replace("(none gone)", "(none gone, balance = 0.8)")
        .replace("stop chance done", "stop chance tempered(done, 1.0)")
        .replace("  decoder full {", ORACLE + "  decoder full {")
    ),
    "gone_t": Spec(
        gone(
            amount="t ~ uniform(0, 1) stratified", weight=" weight bound", stop_weight="bound",
            over="gone per sequence",
        ).replace("    param stop_scale : Scale = 1.0\n", "")
    ),
    "gone_cosine": Spec(
        gone("cos(pi*t/2)", "t ~ uniform(0, 1)", backbone="dit", over="tokens"), _cos, _dcos
    ),
    "gone_fixed": Spec(
        gone(amount="t ~ fixed(0.7)", over="gone").replace("keeping given", "keeping prefix"),
        low=0.7, high=0.7,
    ),
    "arlm": Spec((SHIPPED / "arlm.xlm").read_text(encoding="utf-8")),
    "next_plain": Spec(
        none(weight=" weight 1 + scale / 2", over="sequences", reuse="", side="right")
        .replace("backbone rotary", "backbone qwen2")
    ),
    "next_both": Spec(
        none(
            weight=" weight scale / length",
            over="tokens per sequence",
            decoders="decoder anew { drop reuse }\n"
            "  decoder ended { stop when text = stop_strings or last = eos or length = limit }\n"
            "  decoder sure { step { append one; draw token greedy } }",
            before="cls bos",
        )
    ),
    "next_fixed": Spec(none(weight=" weight bound", over="block", eos=False)),
    "flexmdm": Spec((SHIPPED / "flexmdm.xlm").read_text(encoding="utf-8"), low=1e-3),
    "both_mixed": Spec(MIXED, low=1e-3, beta=_cos, beta_slope=_dcos),
    "both_square": Spec(
        both("1 - t**2", "1 - sin(pi/2*t)", over="tokens", amount="t ~ uniform(0, 1) antithetic"),
        lambda t: 1 - t**2,
        lambda t: -2 * t,
        beta=lambda t: 1 - sin(pi * t / 2),
        beta_slope=lambda t: -pi / 2 * cos(pi * t / 2),
    ),
    "both_geometric": Spec(
        both("exp(-(1e-7)**(1 - t) * 20**t)", "1 - t", "t ~ uniform(0.1, 1)", over="block",
             overflow="drop_right"),
        lambda t: exp(-(1e-7 ** (1 - t)) * 20**t),
        lambda t: -log(2e8) * 1e-7 ** (1 - t) * 20**t * exp(-(1e-7 ** (1 - t)) * 20**t),
        low=0.1,
    ),
    "both_left": Spec(
        both("cos(pi/2*t)**2", "exp(-5*t)", "t ~ uniform(0.01, 0.99)", over="tokens per sequence",
             weight=" weight 0.5", gap="poisson(gone) weight 2 * hazard(beta) + t"),
        lambda t: _cos(t) ** 2,
        lambda t: 2 * _cos(t) * _dcos(t),
        low=0.01,
        high=0.99,
        beta=lambda t: exp(-5 * t),
        beta_slope=lambda t: -5 * exp(-5 * t),
    ),
    "both_early": Spec(
        both("1 - t", "1 - t**12", "t ~ uniform(1e-3, 1)"), low=1e-3,
        beta=lambda t: 1 - t**12, beta_slope=lambda t: -12 * t**11,
    ),
    "both_late": Spec(
        both("1 - t**12", "1 - t", "t ~ uniform(1e-3, 1)"),
        lambda t: 1 - t**12, lambda t: -12 * t**11, low=1e-3,
    ),
    "both_powers": Spec(  # the clocks of Kumaraswamy: a = 2, b = 1.5 and 3
        both("1 - (1 - (1 - t)**2)**1.5", "1 - (1 - (1 - t)**2)**3", "t ~ uniform(0.01, 1)"),
        lambda t: 1 - (1 - (1 - t) ** 2) ** 1.5,
        lambda t: -3 * (1 - t) * (1 - (1 - t) ** 2) ** 0.5,
        low=0.01,
        beta=lambda t: 1 - (1 - (1 - t) ** 2) ** 3,
        beta_slope=lambda t: -6 * (1 - t) * (1 - (1 - t) ** 2) ** 2,
    ),
    "both_back": Spec(TWO_BACK, low=1e-3),
    "both_timeless": Spec(TIMELESS, low=1e-3),
    "both_law": Spec(
        both(head="distribution(6)", gap="cross_entropy(gone)",
             insert="chance min(1, gap * reveal(beta))", overflow="drop_right", over="masked"),
    ),
}  # fmt: skip
RATES = """family rates {
  noise { clean -> gone survival alpha(t) = 1 - t**2; amount t ~ uniform(0, 1) }
  network { backbone dit(condition = t); head slot : logits at gaps; head gap : count at gaps }
  loss { slot : cross_entropy(gone) weight bound; gap : poisson(gone) weight bound }
  decoder {
    param steps : Count = 8
    grid uniform(steps)
    step { insert tokens chance min(1, gap * reveal(alpha)); draw slot }
  }
  decoder paced { step { insert tokens quota gap / steps_left; draw slot } }
  decoder single { step { insert tokens quota 1; draw slot } }
  decoder sure { step { insert tokens one by confidence; draw slot } }
  decoder many { step { insert tokens above 0.3 by confidence; draw slot greedy } }
  decoder near { step { insert tokens within 0.9 by confidence; draw slot greedy } }
  decoder most { step { insert tokens factor 1.9 by confidence of sampled; draw slot greedy } }
  decoder either { step { insert tokens above 0.6 else quota 2 by confidence; draw slot greedy } }
  decoder known {
    step { insert tokens quota 0.2 + 2 * gap * confidence by confidence; draw slot greedy }
  }
  decoder joined {
    step {
      insert tokens above 0.6 or chance min(1, 0.4 * gap * confidence) by confidence
      draw slot greedy
    }
  }
  decoder tied { overflow drop_right; step { insert tokens chance 1; draw slot } }
  collate { text : bos [body] eos }
}"""
JOINT = """family joint {
  noise { clean -> gone survival alpha(t) = 1 - t**2; amount t ~ uniform(0, 1) }
  network {
    backbone dit(condition = t)
    head slot : logits at gaps
    head missing : distribution(6) at bos
  }
  loss { slot : joint_cross_entropy(gone); missing : cross_entropy(gone) }
  decoder {
    param steps : Count = 8
    grid uniform(steps)
    step { insert tokens chance min(1, missing * reveal(alpha)); draw slot }
  }
  decoder paced { step { insert tokens quota missing / steps_left; draw slot } }
  decoder near { step { insert tokens within 1.9 by confidence; draw slot greedy } }
  decoder known { step { insert tokens quota 0.2 + missing * confidence; draw slot greedy } }
  decoder spread { step { insert tokens chance min(1, missing / 8) else quota missing; draw slot } }
  collate { text : bos [body] eos }
}"""
PAIRS = """family pairs {
  noise { clean -> gone survival alpha(t) = 1 - t**2; amount t ~ uniform(0, 1) }
  network {
    backbone dit(condition = t)
    head slot : logits at gaps
    head missing : count at bos
  }
  loss { slot : joint_cross_entropy(gone) weight bound; missing : poisson(gone) weight bound }
  decoder {
    param steps : Count = 8
    grid uniform(steps)
    step { insert tokens chance min(1, missing * reveal(alpha)); draw slot }
  }
  decoder paced { step { insert tokens quota missing / steps_left; draw slot } }
  collate { text : bos [body] eos }
}"""
STRUCK = ("survival alpha(t) = 1 - t**2", "events alpha(t) = 30 * t**2")
SIZED = """family sized "Masks with a head of the length" {
  noise { clean -> mask  survival alpha(t) = 1 - t }
  network { backbone rotary; head token : logits; head size : distribution(3) at cls }
  loss { token : cross_entropy(x0) on mask  weight bound; size : cross_entropy(length) }
  decoder { start masks(size); step { unmask one by random; draw token with temperature } }
  collate { text : cls bos [body] eos; seq2seq : cls prompt bos [body] eos }
}
"""
LED = "param w : Scale = 2.0\n    guide cfg(scale = w, without = prompt)\n    "
UDLM = (SHIPPED / "udlm.xlm").read_text(encoding="utf-8")
BD3LM = written_out("bd3lm")
UNEVEN = """  decoder uneven {
    param temperature : Scale = 1.0
    drop grid
    drop finish
    step { unmask chance 0.4 else one by random; draw token with temperature }
  }

  collate {"""
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
FAST = written_out("fast_dllm")
LOFLEX = written_out("loflexmdm")
GIDD = written_out("gidd")


def clock(t: float, p: float = 0.1) -> float:
    """The survival of gidd with a share p of random tokens at t = 1/2."""
    return (1 - t) / (1 + 2 * p / (1 - p) * sqrt(t * (1 - t)))


RATIOS = written_out("sedd_uniform").replace("condition = sigma", "condition = t")
EDITS = """family toy "Toy" {
  noise {
    draft ~ random(1)
    clean -> draft  survival alpha(t) = 1 - t
  }
  network {
    backbone dit(condition = t)
    head missing : count at gaps
    head new     : logits at gaps
    head surplus : count at tokens
    head wrong   : count at tokens
    head right   : logits
  }
  loss {
    missing : poisson(gone)                 weight bound
    new     : cross_entropy(gone)           weight bound
    surplus : poisson(extra)                weight bound
    wrong   : poisson(changed)              weight bound
    right   : cross_entropy(x0) on changed  weight bound
    mean over sequences
  }
  decoder {
    param steps : Count = 4
    grid uniform(steps)
    step {
      insert tokens poisson missing * reveal(alpha); draw new
      delete poisson surplus * reveal(alpha); substitute poisson wrong * reveal(alpha); draw right
    }
  }
  collate { text : bos [body]; seq2seq : prompt bos [body]; infill : bos [body] keeping given }
}
"""
EMPTY = """family toy "Toy" {
  noise {
    draft ~ empty
    clean -> draft  survival alpha(t) = 1 - t
  }
  network { backbone dit(condition = t); head missing : count at gaps; head new : logits at gaps }
  loss {
    missing : poisson(gone)        weight bound
    new     : cross_entropy(gone)  weight bound
    mean over sequences
  }
  decoder {
    param steps : Count = 4
    grid uniform(steps)
    step { insert tokens poisson missing * reveal(alpha); draw new }
  }
  collate { text : bos [body]; seq2seq : prompt bos [body]; infill : bos [body] keeping given }
}
"""
XLNET = written_out("xlnet").replace(
    "  collate {",
    """  decoder several {
    step { unmask quota 2 by confidence; draw token with temperature }
  }

  collate {""",
)
RELAY = written_out("relay").replace(
    "  collate {",
    """  decoder gridded {
    drop tau
    param steps : Count = 4
    grid uniform(steps)
    step { unmask chance reveal(alpha); draw token with temperature }
  }

  decoder again {
    drop tau
    param steps : Count = 6
    grid uniform(steps)
    step {
      remask quota 1
      unmask quota max(1, masked - length * s) by confidence
      draw token with temperature
    }
  }

  decoder planned {
    drop tau
    param steps : Count = 4
    grid uniform(steps)
    step { keep quota length * (1 - s) by confidence; draw token with temperature }
  }

  collate {""",
)
MORE = {  # of a few laws alone
    "xlnet": Spec(XLNET),
    "xlnet_dit": Spec(XLNET.replace("backbone  rotary", "backbone  dit")),
    "relay": Spec(RELAY),
    "relay_plain": Spec(re.sub(r"\n *(carry|loss\.tau) [^\n]*", "", RELAY)),
    "relay_plain_rotary": Spec(
        re.sub(r"\n *(carry|loss\.tau) [^\n]*", "", RELAY).replace(
            "backbone  dit", "backbone  rotary"
        )
    ),
    "relay_rotary": Spec(RELAY.replace("backbone  dit", "backbone  rotary")),
    "relay_three": Spec(
        RELAY.replace("over 2", "over 3")
        .replace("mean over tokens", "mean over masked")
        .replace("above tau by confidence of likeliest", "quota max(1, length / tau) by margin", 1)
        .replace("param tau : Chance = 0.85", "param tau : Count = 3", 1)
        .replace("weight bound", "")
        .replace("; decoder.tau 0.15", "")
        .replace("    loss.tau 0.15\n", "")
    ),
    "edit_random": Spec(EDITS),
    "edit_masks": Spec(EDITS.replace("random(1)", "masks(2)")),
    "edit_size": Spec(
        EDITS.replace("draft ~ random(1)", "param size : Size = 3; draft ~ random(size)")
    ),
    "edit_empty": Spec(EMPTY),
    "edit_copy": Spec(EDITS.replace("random(1)", "copy(0.6)")),
    "edit_rate": Spec(
        EDITS.replace("draft ~ random(1)", "param rate : Chance = 0; draft ~ copy(rate)")
    ),
    "bd3lm": Spec(BD3LM.replace("  collate {", UNEVEN)),
    "bd3lm_rotary": Spec(
        BD3LM.replace("  collate {", UNEVEN).replace("backbone  dit", "backbone  rotary")
    ),
    "bd3lm_clipped": Spec(
        BD3LM.replace("blocks block", "blocks 4")
        .replace("param block : Size = 16\n", "\n")
        .replace("amount count ~ uniform(1, length)", "amount t ~ uniform(0.3, 0.8)")
    ),
    "mdlm_filled": Spec(
        written_out("mdlm").replace("text : bos [body] eos", "text : bos [body eos pad]")
    ),
    "udlm": Spec(UDLM, low=1e-3),
    "gidd": Spec(GIDD, clock, low=1e-4, high=0.9999),
    "gidd_masks": Spec(GIDD.replace("Chance = 0.1", "Chance = 0.0"), low=1e-4, high=0.9999),
    "gidd_mixed": Spec(
        GIDD.replace("Chance = 0.1", "Chance = 0.2"), partial(clock, p=0.2), low=1e-4, high=0.9999
    ),
    "learned": Spec(written_out("genmd4"), low=1e-4),
    "scaled": Spec(LOFLEX, low=1e-3),
    "scaled_gaps": Spec(
        re.sub(r"\n *(head pace|pace *:)[^\n]*", "", LOFLEX)
        .replace("head unmasking : scale at tokens; ", "")
        .replace("1 - t**unmasking", "(1 - t)**2")
        .replace("1 - t**insertion", "1 - (1 - (1 - t)**2)**insertion")
        .replace("1 - (1 - reveal(alpha))**pace", "reveal(alpha)")
        .replace("masked * pace * reveal", "masked * reveal"),
        lambda t: (1 - t) ** 2,
        lambda t: -2 * (1 - t),
        low=1e-3,
    ),
    "fast_dllm": Spec(FAST),
    "fast_dllm_dit": Spec(FAST.replace("backbone  rotary", "backbone  dit")),
    "p2": Spec(
        written_out("p2").replace(
            "  decoder first_hitting",
            "  decoder plain {\n    step {\n"
            "      unmask quota max(0, masked - length * s) by confidence of sampled\n"
            "    }\n  }\n  decoder first_hitting",
        )
    ),
    "dfm": Spec(written_out("dfm")),
    "remdm_conf": Spec(written_out("remdm_conf")),
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
    "mask_struck": Spec(
        mask("1 - t**2", "t ~ uniform(0, 1)", weight="", over="masked"),
        lambda t: 1 - t**2,
        lambda t: -2 * t,
    ),
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
    "mask_posterior": Spec(mask().replace("cross_entropy(x0)", "posterior(x0)")),
    "mask_timed": Spec(
        mask(
            amount="t ~ uniform(1e-4, 0.9999)",
            backbone="dit(condition = t)",
            over="tokens",
            decoders=CHANCE,
        )
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
    "gone_rates": Spec(RATES),
    "gone_joint": Spec(JOINT),
    "gone_pairs": Spec(PAIRS),
    "struck_pairs": Spec(PAIRS.replace(*STRUCK)),
    "struck_gaps": Spec(RATES.replace(*STRUCK)),
    "mask_sized": Spec(SIZED),
    "next_led": Spec(
        none(reuse=LED, eos=False, before="cls bos", decoders="decoder kept { reuse while prefix }")
    ),
    "next_begun": Spec(none(reuse=LED.replace("= prompt", "= given"), eos=False)),
    "gone_ended": Spec(gone().replace("  collate {", f"{ENDED}  collate {{", 1)),
    "gone_led": Spec(gone().replace("step {", f"{LED}step {{", 1)),
    "both_done": Spec(
        both()
        .replace("    head gap", "    head done : chance at cls\n    head gap")
        .replace("    gap :", "    done : binary_cross_entropy(none gone)\n    gap :")
        .replace("    overflow", "    stop when done > 0.5 or length = limit\n    overflow", 1)
        .replace(": bos [", ": cls bos [")
        .replace("prompt bos [", "cls prompt bos [")
    ),
    "both_led_again": Spec(TIMELESS.replace("grid", f"{LED}grid", 1)),
    "both_led": Spec(both().replace("overflow", f"{LED}overflow", 1)),
}
TWO = [name for name, spec in SPECS.items() if spec.two]
APART = (  # limits of a clock, more of the same, and what has laws of its own
    *("both_early", "both_late", "both_powers"),
    *("both_back", "both_timeless"),
)
BOTHS = [name for name in TWO if name not in APART]
ONES = [name for name in SPECS if name not in TWO]  # of one arrow


def those(*pieces: str) -> list[str]:
    """The names of the specs of one arrow that contain all the pieces of text."""
    return [name for name in ONES if SPECS[name].has(*pieces)]


def boths(*pieces: str) -> list[str]:
    """The names of the specs of two arrows that contain all the pieces of text."""
    return [name for name in BOTHS if SPECS[name].has(*pieces)]


SPREAD = [*those("antithetic"), *those("stratified")]
NOISED = [name for name in ONES if not SPECS[name].has("cross_entropy(following)")]
PLAIN = [name for name in NOISED if name not in SPREAD]
MASKS = those("-> mask")
GONES = those("-> gone")
NONES = those("cross_entropy(following)")
ALL = [*ONES, *BOTHS]

# What its own laws test, and no other ones.
SPECS["mask_rules"] = Spec(mask(decoders=RULES))
