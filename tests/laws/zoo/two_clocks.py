"""Specs whose tokens become masks, and masks go."""

import re
from math import cos, exp, log, pi, sin

from laws.zoo.spec import LED, SHIPPED, Spec, cosine, cosine_slope, written_out

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


LOFLEX = written_out("loflexmdm")

SPECS = {
    "flexmdm": Spec((SHIPPED / "flexmdm.xlm").read_text(encoding="utf-8"), low=1e-3),
    "both_mixed": Spec(MIXED, low=1e-3, beta=cosine, beta_slope=cosine_slope),
    "both_square": Spec(
        both("1 - t**2", "1 - sin(pi/2*t)", over="tokens", amount="t ~ uniform(0, 1) antithetic"),
        lambda t: 1 - t**2,
        lambda t: -2 * t,
        beta=lambda t: 1 - sin(pi * t / 2),
        beta_slope=lambda t: -pi / 2 * cos(pi * t / 2),
    ),
    "both_geometric": Spec(
        both(
            "exp(-(1e-7)**(1 - t) * 20**t)",
            "1 - t",
            "t ~ uniform(0.1, 1)",
            over="block",
            overflow="drop_right",
        ),
        lambda t: exp(-(1e-7 ** (1 - t)) * 20**t),
        lambda t: -log(2e8) * 1e-7 ** (1 - t) * 20**t * exp(-(1e-7 ** (1 - t)) * 20**t),
        low=0.1,
    ),
    "both_left": Spec(
        both(
            "cos(pi/2*t)**2",
            "exp(-5*t)",
            "t ~ uniform(0.01, 0.99)",
            over="tokens per sequence",
            weight=" weight 0.5",
            gap="poisson(gone) weight 2 * hazard(beta) + t",
        ),
        lambda t: cosine(t) ** 2,
        lambda t: 2 * cosine(t) * cosine_slope(t),
        low=0.01,
        high=0.99,
        beta=lambda t: exp(-5 * t),
        beta_slope=lambda t: -5 * exp(-5 * t),
    ),
    "both_early": Spec(
        both("1 - t", "1 - t**12", "t ~ uniform(1e-3, 1)"),
        low=1e-3,
        beta=lambda t: 1 - t**12,
        beta_slope=lambda t: -12 * t**11,
    ),
    "both_late": Spec(
        both("1 - t**12", "1 - t", "t ~ uniform(1e-3, 1)"),
        lambda t: 1 - t**12,
        lambda t: -12 * t**11,
        low=1e-3,
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
        both(
            head="distribution(6)",
            gap="cross_entropy(gone)",
            insert="chance min(1, gap * reveal(beta))",
            overflow="drop_right",
            over="masked",
        ),
    ),
}

MORE = {  # of a few laws alone
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
}
