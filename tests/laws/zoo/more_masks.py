"""Specs of masks that only a few laws are held against."""

from laws.zoo.decoders import CHANCE, RULES
from laws.zoo.masks import mask
from laws.zoo.spec import Spec, written_out

SIZED = """family sized "Masks with a head of the length" {
  noise { clean -> mask  survival alpha(t) = 1 - t }
  network { backbone rotary; head token : logits; head size : distribution(3) at cls }
  loss { token : cross_entropy(x0) on mask  weight bound; size : cross_entropy(length) }
  decoder { start masks(size); step { unmask one by random; draw token with temperature } }
  collate { text : cls bos [body] eos; seq2seq : cls prompt bos [body] eos }
}
"""

BD3LM = written_out("bd3lm")

UNEVEN = """  decoder uneven {
    param temperature : Scale = 1.0
    drop grid
    drop finish
    step { unmask chance 0.4 else one by random; draw token with temperature }
  }

  collate {"""

FAST = written_out("fast_dllm")

MORE = {  # of a few laws alone
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
    "learned": Spec(written_out("genmd4"), low=1e-4),
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
    "mask_struck": Spec(
        mask("1 - t**2", "t ~ uniform(0, 1)", weight="", over="masked"),
        lambda t: 1 - t**2,
        lambda t: -2 * t,
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
    "mask_sized": Spec(SIZED),
    "mask_rules": Spec(mask(decoders=RULES)),
}
