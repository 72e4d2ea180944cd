"""Specs whose noise takes tokens out."""

from laws.zoo.spec import LED, SHIPPED, Spec, cosine, cosine_slope

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
  decoder crowded { step { insert tokens above 1.1 by confidence; draw slot greedy } }
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

SPECS = {
    "ilm": Spec((SHIPPED / "ilm.xlm").read_text(encoding="utf-8")),
    "gone_bound": Spec(gone(weight=" weight bound", stop_weight="stop_scale * bound")),
    "gone_balanced": Spec(
        gone()
        .replace("(none gone)", "(none gone, balance = 0.8)")
        .replace("stop chance done", "stop chance tempered(done, 1.0)")
        .replace("  decoder full {", ORACLE + "  decoder full {")
    ),
    "gone_t": Spec(
        gone(
            amount="t ~ uniform(0, 1) stratified",
            weight=" weight bound",
            stop_weight="bound",
            over="gone per sequence",
        ).replace("    param stop_scale : Scale = 1.0\n", "")
    ),
    "gone_cosine": Spec(
        gone("cos(pi*t/2)", "t ~ uniform(0, 1)", backbone="dit", over="tokens"),
        cosine,
        cosine_slope,
    ),
    "gone_fixed": Spec(
        gone(amount="t ~ fixed(0.7)", over="gone").replace("keeping given", "keeping prefix"),
        low=0.7,
        high=0.7,
    ),
}

KEPT = """family kept {
  noise { clean -> gone survival alpha(t) = 1 - t**2; amount t ~ uniform(0, 1) }
  network {
    backbone rotary
    head slot : logits at gaps
    head gap : count at gaps
    head done : chance at bos
  }
  loss {
    slot : cross_entropy(gone)
    gap : poisson(gone)
    done : binary_cross_entropy(none gone)
  }
  decoder {
    param steps : Count = 16
    grid uniform(steps)
    step { insert tokens chance min(1, 0.2 * gap * reveal(alpha)); draw slot }
    stop when done > 0.99 or length = limit
    reuse while unchanged
  }
  decoder anew { drop reuse }
  decoder sure { step { insert tokens quota 0.3 * gap by confidence; draw slot } }
  decoder sure_anew { step { insert tokens quota 0.3 * gap by confidence; draw slot }; drop reuse }
  collate {
    text : bos [body] eos
    seq2seq : prompt bos [body] eos
    infill : bos [body] eos keeping given
  }
}"""

AGAIN = """family again {
  noise { clean -> gone survival alpha(t) = 1 - t**2; amount t ~ uniform(0, 1) }
  network {
    backbone dit(condition = t)
    head slot : logits at gaps
    head gap : count at gaps
    head done : chance at bos
  }
  loss {
    slot : cross_entropy(gone) weight bound
    gap : poisson(gone) weight bound
    done : binary_cross_entropy(none gone)
  }
  decoder {
    param eta : Chance = 0.3
    param steps : Count = 8
    let back = min(eta, (1 - alpha(s)) / max(alpha(t), 1e-9))
    grid uniform(steps)
    step {
      insert tokens chance min(1, gap * (reveal(alpha) + back * alpha(t) / (1 - alpha(t))))
      draw slot
      delete chance back
    }
  }
  decoder full { stop when length = limit }
  decoder done { stop when done > 0.5 }
  decoder careless {
    step { insert tokens chance min(1, gap * reveal(alpha)); draw slot; delete one }
  }
  decoder doubting {
    param worst : Count = 1
    step {
      insert tokens chance min(1, gap * reveal(alpha))
      draw slot
      delete quota worst by confidence
    }
  }
  collate {
    text : bos [body] eos
    seq2seq : prompt bos [body] eos
    infill : bos [body] eos keeping given
  }
}"""

MORE = {  # of a few laws alone
    "gone_again": Spec(AGAIN),
    "gone_kept": Spec(KEPT),
    "gone_rates": Spec(RATES),
    "gone_joint": Spec(JOINT),
    "gone_pairs": Spec(PAIRS),
    "struck_pairs": Spec(PAIRS.replace(*STRUCK)),
    "struck_gaps": Spec(RATES.replace(*STRUCK)),
    "gone_ended": Spec(gone().replace("  collate {", f"{ENDED}  collate {{", 1)),
    "gone_led": Spec(gone().replace("step {", f"{LED}step {{", 1)),
}
