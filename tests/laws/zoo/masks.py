"""Specs whose noise is masks."""

from math import log

from laws.zoo.decoders import BACK, BLOCKS, BOUNDED, CHANCE, DREAM, EVENTS, GUIDED, ORDERS, REUSED
from laws.zoo.spec import SHIPPED, Spec, cosine, cosine_slope, written_out

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

EVERY = (
    " weight hazard(alpha) + dsigma(alpha) + sigma(alpha) - alpha'(t) + alpha(t) + corrupted(alpha)"
)


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


SPECS = {
    "mdlm": Spec((SHIPPED / "mdlm.xlm").read_text(encoding="utf-8")),
    "llada": Spec(written_out("llada"), low=1e-3),
    "remdm": Spec(written_out("remdm")),
    "mlm": Spec((SHIPPED / "mlm.xlm").read_text(encoding="utf-8")),
    "mask_t": Spec(mask()),
    "mask_orders": Spec(
        mask(amount="t ~ uniform(0, 1) stratified", weight="", over="masked", decoders=ORDERS)
    ),
    "mask_mlm": Spec(
        mask(
            amount="count ~ uniform(0, length)",
            weight="",
            over="masked per sequence",
            backbone="rotary",
        )
    ),
    "mask_square": Spec(
        mask("1 - t**2", "t ~ uniform(0, 1) antithetic", over="tokens"),
        lambda t: 1 - t * t,
        lambda t: -2 * t,
    ),
    "mask_cosine": Spec(
        mask(
            "cos(pi*t/2)",
            "t ~ uniform(0, 1)",
            "dit(condition = t)",
            over="tokens per sequence",
            decoders=CHANCE + EVENTS,
        ),
        cosine,
        cosine_slope,
    ),
    "mask_counted": Spec(
        mask(
            "1 - cos(pi/2*(1 - t))",
            "count ~ uniform(1, length)",
            "dit(condition = t)",
            decoders=CHANCE + EVENTS,
        ),
        lambda t: 1 - cosine(1 - t),
        lambda t: cosine_slope(1 - t),
    ),
    "mask_leftover": Spec(
        mask(
            "1 - (1 - 1e-3) * t",
            "t ~ uniform(1e-3, 1) antithetic",
            "dit(condition = sigma)",
            over="block",
            decoders=CHANCE,
        ),
        lambda t: 1 - (1 - 1e-3) * t,
        lambda t: -(1 - 1e-3),
        low=1e-3,
    ),
    "mask_cubic": Spec(
        mask(
            "1 - (2*t**3 - 3*t**2 + 2*t)",
            "t ~ uniform(0.01, 0.99)",
            "dit(condition = t)",
            EVERY,
            decoders=CHANCE + EVENTS,
        ),
        lambda t: 1 - (2 * t**3 - 3 * t**2 + 2 * t),
        lambda t: -(6 * t**2 - 6 * t + 2),
        low=0.01,
        high=0.99,
    ),
    "mask_log": Spec(
        mask(
            "1 - log(1 + t)/log(2)",
            "t ~ uniform(0.01, 0.99)",
            "dit(condition = t)",
            EVERY,
            decoders=CHANCE + EVENTS,
        ),
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
            amount="t ~ uniform(1e-3, 1)",
            backbone="qwen2",
            over="masked",
            decoders=DREAM,
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
        mask(
            amount="t ~ uniform(0, 1)", backbone="dit(condition = t)", over="block", decoders=GUIDED
        )
    ),
    "mask_back": Spec(
        mask("cos(pi*t/2)", "t ~ uniform(0, 1)", over="sequences", decoders=BACK),
        cosine,
        cosine_slope,
    ),
}
