"""Specs without noise: the next token, in reading order or in one that is drawn."""

from laws.zoo.spec import LED, SHIPPED, Spec, written_out

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


XLNET = written_out("xlnet").replace(
    "  collate {",
    """  decoder several {
    step { unmask quota 2 by confidence; draw token with temperature }
  }

  collate {""",
)

SPECS = {
    "arlm": Spec((SHIPPED / "arlm.xlm").read_text(encoding="utf-8")),
    "next_plain": Spec(
        none(weight=" weight 1 + scale / 2", over="sequences", reuse="", side="right").replace(
            "backbone rotary", "backbone qwen2"
        )
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
}

MORE = {  # of a few laws alone
    "next_led": Spec(
        none(reuse=LED, eos=False, before="cls bos", decoders="decoder kept { reuse while prefix }")
    ),
    "next_begun": Spec(none(reuse=LED.replace("= prompt", "= given"), eos=False)),
    "xlnet": Spec(XLNET),
    "xlnet_dit": Spec(XLNET.replace("backbone  rotary", "backbone  dit")),
}
