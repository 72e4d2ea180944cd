"""A small mistake for every message: `xlmc explain` shows it, its message, and the correction.

Each is a change of a correct spec: the text, and its replacement by mistake.
"""

from collections.abc import Mapping

from attrs import frozen

MASK = """family example "Masked text" {
  noise {
    clean -> mask  survival alpha(t) = 1 - t
    amount t ~ uniform(0, 1)
  }
  network {
    backbone dit
    attention full
    head token : logits
  }
  loss {
    token : cross_entropy(x0) on mask  weight bound
    mean over tokens
  }
  decoder {
    start masks
    param steps : Count = 128
    grid uniform(steps)
    step { unmask chance reveal(alpha); draw token }
  }
  collate {
    seq2seq : prompt bos [body] eos
  }
  recipe lm1b { batch 64 }
}
"""
GONE = """family example "Insertions" {
  noise {
    clean -> gone  survival alpha(t) = 1 - t
    amount count ~ uniform(0, length)
  }
  network {
    backbone rotary
    head slot : logits at gaps
    head done : chance at cls
  }
  loss {
    slot : joint_cross_entropy(gone)
    done : binary_cross_entropy(none gone)
  }
  decoder {
    step { insert tokens one; draw slot }
    stop when done > 0.5 or length = limit
  }
  collate {
    text : cls bos [body]
  }
}
"""
NONE = """family example "From left to right" {
  noise { none }
  network {
    backbone rotary
    head token : logits
  }
  loss {
    token : cross_entropy(following)
  }
  decoder {
    step { append one; draw token }
    stop when last = eos or length = limit
  }
  collate {
    text : bos [body eos]
  }
}
"""
BOTH = """family example "Masks that are inserted" {
  noise {
    clean -> mask  survival alpha(t) = 1 - t
    mask -> gone  survival beta(t) = 1 - t
  }
  network {
    backbone dit(condition = t)
    head token : logits
    head gap : count at gaps
  }
  loss {
    token : cross_entropy(x0) on mask
    gap : poisson(gone)
  }
  decoder {
    grid uniform(128)
    step { unmask chance reveal(alpha); draw token; insert masks poisson gap * reveal(beta) }
  }
  collate {
    text : bos [body] eos
  }
}
"""
DRAFT = """family example "Edits" {
  noise {
    draft ~ random(16)
    clean -> draft  survival alpha(t) = 1 - t
  }
  network {
    backbone dit(condition = t)
    head missing : count at gaps
    head new : logits at gaps
    head surplus : count at tokens
    head wrong : count at tokens
    head right : logits
  }
  loss {
    missing : poisson(gone)
    new : cross_entropy(gone)
    surplus : poisson(extra)
    wrong : poisson(changed)
    right : cross_entropy(x0) on changed
  }
  decoder {
    grid uniform(128)
    step {
      insert tokens poisson missing * reveal(alpha); draw new
      delete poisson surplus * reveal(alpha)
      substitute poisson wrong * reveal(alpha); draw right
    }
  }
  collate {
    text : bos [body]
  }
}
"""
RATIOS = """family example "Ratios of random tokens" {
  noise {
    clean -> random  survival alpha(t) = exp(-14 * t)
  }
  network {
    backbone dit(condition = t)
    head token : ratios
  }
  loss {
    token : score_entropy(x0)  weight bound
  }
  decoder {
    grid uniform(128)
    step { substitute all; draw token from posterior }
  }
  collate {
    text : bos [body] eos
  }
}
"""
CHILD = """family example "A family of a parent" extends mdlm {
  loss { mean over block }
  decoder { drop reuse }
}
"""
PARENTS = {  # specs that lie beside the example
    "circle": 'family circle "Round and round" extends example { }\n',
    "other": 'family another "Another name" extends mdlm { }\n',
    **{f"link{n}": f'family link{n} "Link {n}" extends link{n + 1} {{ }}\n' for n in range(40)},
}


@frozen
class Mistake:
    """A correct spec, some text of it, and the mistake in its place."""

    right: str
    old: str
    new: str

    @property
    def wrong(self) -> str:
        """The spec with the mistake."""
        return self.right.replace(self.old, self.new, 1)


SHIFTED = MASK.replace("logits", "logits shifted").replace("seq2seq : prompt", "text :")
HEAD = "    head token : logits\n"
STEP = "    step { unmask chance reveal(alpha); draw token }\n"
GUIDE = "    guide cfg(scale = 2, without = prompt)\n" + STEP
RECIPE = "  recipe lm1b { batch 64 }\n"
FORMULA = "alpha(t) = 1 - t"

_TEXT = {
    "XLM001": (MASK, "Masked text", "Masked \udcff text"),
    "XLM002": (MASK, "1 - t\n", "1 -\u200b t\n"),
    "XLM003": (MASK, MASK, "\n"),
    "XLM004": (MASK, "family example", f"# {'long ' * 60_000}\nfamily example"),
    "XLM005": (MASK, FORMULA, f"alpha(t) = {'max(' * 600}1 - t{')' * 600}"),
    "XLM006": (MASK, FORMULA, "alpha(t) = 1 - t * 1e400"),
    "XLM007": (MASK, "Count = 128", f"Count = 128.{'0' * 2000}"),
    "XLM008": (MASK, "  loss {\n", "  loss\n  {\n"),
    "XLM009": (MASK, FORMULA, "alpha(t) == 1 - t"),
    "XLM010": (GONE, "insert tokens one", "insert tokens 1"),
    "XLM011": (MASK, "param steps : Count", "param 128 : Count"),
    "XLM012": (MASK, "clean -> mask", "clean \u2192 mask"),
    "XLM013": (MASK, '"Masked text"', '"Masked text'),
    "XLM014": (MASK, "survival alpha", "survivl alpha"),
    "XLM015": (MASK, "uniform(0, 1)", "uniform(0, 1"),
    "XLM016": (MASK, "head token", "head draw"),
    "XLM017": (MASK, RECIPE + "}\n", RECIPE + "}\nrecipe owt { batch 32 }\n"),
    "XLM018": (MASK, "    mean over tokens\n", "    mean over tokens\n    attention full\n"),
    "XLM019": (MASK, RECIPE, "  training { batch 64 }\n"),
}
_EXTENDS = {
    "XLM020": (CHILD, "extends mdlm", "extends mdml"),
    "XLM021": (CHILD, "extends mdlm", "extends example"),
    "XLM022": (CHILD, "extends mdlm", "extends circle"),
    "XLM023": (CHILD, "extends mdlm", "extends link0"),
    "XLM024": (CHILD, "extends mdlm", "extends other"),
    "XLM025": (MASK, "    start masks\n", "    drop start\n"),
    "XLM026": (CHILD, "drop reuse", "drop reuses"),
    "XLM027": (CHILD, "  decoder {", "  replace decoder likeliest {"),
    "XLM028": (MASK, "recipe lm1b {", "recipe {"),
    "XLM029": (CHILD, "{ mean over block }", "{ drop mean; mean over block }"),
    "XLM030": (MASK, RECIPE, "  loss { mean over block }\n"),
    "XLM031": (MASK, "    start masks\n", "    start masks\n    start masks\n"),
    "XLM032": (MASK, "    grid", "    param steps : Count = 64\n    grid"),
    "XLM033": (MASK, HEAD, HEAD + HEAD),
    "XLM034": (
        MASK,
        "    amount t",
        "    clean -> mask  survival beta(t) = 1 - t\n    amount t",
    ),
    "XLM035": (MASK, "    mean over", "    token : cross_entropy(x0) on mask\n    mean over"),
    "XLM036": (MASK, "  collate {\n", "  collate {\n    seq2seq : prompt bos [body]\n"),
    "XLM037": (MASK, RECIPE, RECIPE + "  recipe lm1b { batch 32 }\n"),
    "XLM038": (MASK, "{ batch 64 }", "{ batch 64; batch 32 }"),
    "XLM039": (MASK, "draw token }", "draw token with top_k = 1, top_k = 2 }"),
}
_NAMES = {
    "XLM040": (MASK, "grid uniform(steps)", "grid uniform(step_count)"),
    "XLM041": (MASK, "backbone dit", "backbone ditt"),
    "XLM042": (MASK, "    grid", "    let count = 2\n    grid"),
    "XLM043": (
        MASK,
        "  loss {\n    token : cross_entropy(x0) on mask  weight bound\n"
        "    mean over tokens\n  }\n",
        "",
    ),
    "XLM044": (MASK, "    backbone dit\n", ""),
    "XLM045": (MASK, FORMULA, "alpha(t) = cosine(t)"),
    "XLM046": (MASK, "reveal(alpha)", "reveal(t)"),
    "XLM047": (
        MASK,
        "weight bound\n",
        "weight half\n    let half = twice / 4\n    let twice = 2\n",
    ),
    "XLM048": (
        MASK,
        "param steps : Count = 128\n    grid uniform(steps)",
        "param token : Count = 128\n    grid uniform(token)",
    ),
    "XLM050": (MASK, "Count = 128", "Count = steps"),
    "XLM051": (MASK, "Count = 128", "Count = 128.5"),
    "XLM052": (MASK, "unmask chance reveal(alpha)", "unmask chance 2 * reveal(alpha)"),
    "XLM053": (MASK, "weight bound", "weight 1 / (length - 1)"),
    "XLM054": (MASK, FORMULA, "alpha(t) = 1 - t ** 100000"),
}
MIXED = """family example "Masks and random tokens" {
  noise {
    clean -> mask | random share 0.2 * (1 - t)  survival alpha(t) = 1 - t
    amount t ~ uniform(1e-3, 0.999)
  }
  network {
    backbone dit(condition = t)
    head token : logits
  }
  loss { token : posterior(x0)  weight bound }
  decoder {
    grid uniform(128)
    step { unmask all; substitute all; draw token from posterior }
  }
  collate {
    text : bos [body] eos
  }
}
"""
_THEORY = {
    "XLM070": (MASK, "clean -> mask", "mask -> clean"),
    "XLM071": (MASK, FORMULA, "alpha(t) = t"),
    "XLM072": (MASK, FORMULA, "alpha(t) = 1 - t + 0.5 * sin(2 * pi * t)"),
    "XLM073": (MASK, FORMULA, "alpha(u) = 1 - u"),
    "XLM074": (MASK, "uniform(0, 1)", "uniform(1, 0)"),
    "XLM075": (MASK, "weight bound", "weight 1 / t ** 2"),
    "XLM076": (MASK, "uniform(0, 1)\n", "fixed(0.15)\n"),
    "XLM077": (MASK, "weight bound", "weight -1"),
    "XLM078": (GONE, "uniform(0, length)", "uniform(1, length)"),
    "XLM079": (MASK, "weight bound", "weight min(bound, 100)"),
    "XLM085": (BOTH, "poisson(gone)\n", "poisson(gone)  weight visible(geometric(0.3))\n"),
    "XLM086": (MASK, "weight bound", "weight 0"),
    "XLM087": (MASK, "clean -> mask", "clean -> gone"),
    "XLM088": (MIXED, "share 0.2 * (1 - t)", "share 0.2"),
}
_NETWORK = {
    "XLM100": (MASK, "attention full", "attention causal"),
    "XLM101": (GONE, "head done : chance at cls", "head done : chance"),
    "XLM102": (GONE, "    done : binary_cross_entropy(none gone)\n", ""),
    "XLM103": (MASK, "backbone dit", "backbone rotary(condition = t)"),
    "XLM104": (MASK, "backbone dit", 'backbone python "networks.py"'),
    "XLM105": (GONE, "cls bos [body]", "bos [body]"),
    "XLM106": (GONE, "head slot : logits at gaps", "head slot : logits"),
    "XLM107": (NONE, "backbone rotary", "backbone dit"),
    "XLM109": (MASK, "head token : logits", "head token : logits(64)"),
    "XLM110": (MASK, "cross_entropy(x0) on mask", "poisson(gone)"),
    "XLM111": (MASK, "head token : logits", "head token : logits; head w : scale"),
    "XLM115": (NONE, "head token : logits", "head token : logits shifted"),
    "XLM116": (MASK, "backbone dit", 'backbone qwen2(pretrained = "../weights")'),
}
_DECODER = {
    "XLM119": (
        MASK.replace("backbone dit", "backbone dit(condition = t)"),
        "    grid uniform(steps)\n",
        "    grid uniform(steps)\n    blocks 4\n",
    ),
    "XLM120": (BOTH, "; insert masks poisson gap * reveal(beta) }", " }"),
    "XLM121": (MASK, "draw token }", "draw token; pick gap }"),
    "XLM122": (MASK, "unmask chance reveal(alpha)", "unmask above 0.9"),
    "XLM123": (MASK, "    grid uniform(steps)\n", ""),
    "XLM124": (GONE, "done > 0.5 or length = limit", "done > 0.5"),
    "XLM125": (BOTH, "    grid", "    reuse while unchanged\n    grid"),
    "XLM126": (MASK, "start masks", "start empty"),
    "XLM136": (MASK, "start masks", "start masks(token)"),
    "XLM127": (MASK, "unmask chance reveal(alpha)", "unmask all by confidence"),
    "XLM128": (GONE, "draw slot", "draw done"),
    "XLM129": (MASK, "    grid", "    stop when length = limit\n    grid"),
    "XLM130": (MASK, "; draw token }", " }"),
    "XLM131": (MASK, "  decoder {", "  decoder fast {"),
    "XLM137": (DRAFT, "random(16)", "random"),
    "XLM140": (
        MASK,
        STEP,
        "    blocks 2\n    step { unmask quota 4; draw token }\n",
    ),
    "XLM132": (MASK, "    head token", "    carry memory\n    head token"),
    "XLM133": (MASK, "    amount t", "    order random\n    amount t"),
    "XLM141": (MASK, STEP, GUIDE.replace("scale = 2", "scale = 0")),
}
_REST = {
    "XLM150": (MASK, "[body] eos", "body eos"),
    "XLM151": (MASK, "prompt bos [body] eos", "bos [body] eos"),
    "XLM152": (NONE, "bos [body eos]", "eos [body eos]"),
    "XLM153": (GONE, "cls bos [body]", "[body] cls"),
    "XLM154": (MASK, "[body] eos", "[eos body]"),
    "XLM155": (MASK, "[body] eos", "[body] eos keeping given"),
    "XLM156": (MASK, "    seq2seq", "    pad body left\n    seq2seq"),
    "XLM170": (MASK, "recipe lm1b", "recipe lmb1"),
    "XLM171": (MASK, "{ batch 64 }", "{ batchsize 64 }"),
    "XLM172": (MASK, "{ batch 64 }", "{ batch 0 }"),
    "XLM190": (GONE, "done > 0.5 or length = limit", "length = limit"),
    "XLM191": (MASK, "    grid", "    param eta : Scale = 1\n    grid"),
    "XLM192": (MASK, FORMULA, "alpha(t) = exp(-5 * t)"),
    "XLM193": (MASK, "draw token }", "draw token with top_k = 0 }"),
    "XLM196": (SHIFTED, "bos [body] eos", "[body] eos"),
    "XLM197": (BOTH, "dit(condition = t)", "dit"),
    "XLM108": (RATIOS, "exp(-14 * t)", "1 - t"),
}
MISTAKES: Mapping[str, Mistake] = {
    code: Mistake(*parts)
    for table in (_TEXT, _EXTENDS, _NAMES, _THEORY, _NETWORK, _DECODER, _REST)
    for code, parts in table.items()
}
