"""46 features of the language, each as lines of a spec that are tried on a minimal family.

What the language does not have yet is spelled as one could expect it to be; whoever adds it in
another spelling changes the line here.

`BASES` has a minimal family for each kind of noise. A feature holds lines by section. A line takes
the place of the line of the family that begins alike (by `key`), or is added; `{name}` is filled
from `WORDS`, and a line of several kinds is written once for each: `{kind: line}`. A feature that
has no line for a kind cannot be stated for it. `CHILDREN` are features of families that extend
another: the lines of the parent, and those of the child.

A cell is a feature with a kind of noise. It is accepted if `xlmc check` accepts its spec; of a
feature with two spellings, one of them (`ALSO`).
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

KINDS = ("mask", "gone", "none", "both")
Lines = Mapping[str, Sequence[str]]

WORDS: dict[str, dict[str, str]] = {
    "mask": {"main": "token", "act": "unmask", "place": "", "more": "",
             "term": "cross_entropy(x0) on mask", "before": "bos", "missing": "masked"},
    "gone": {"main": "slot", "act": "insert tokens", "place": " at gaps",
             "more": "", "term": "joint_cross_entropy(gone)", "before": "cls bos",
             "missing": "gap"},
    "none": {"main": "token", "act": "append", "place": "", "more": "",
             "term": "cross_entropy(following)", "before": "cls bos", "missing": "masked"},
    "both": {"main": "token", "act": "unmask", "place": "",
             "more": "; insert masks poisson gap * reveal(beta)",
             "term": "cross_entropy(x0) on mask", "before": "cls bos", "missing": "masked"},
}  # fmt: skip

BASES: dict[str, Lines] = {
    "mask": {
        "noise": ("clean -> mask survival alpha(t) = 1 - t", "amount t ~ uniform(1e-3, 1)"),
        "network": ("backbone dit", "head token : logits"),
        "loss": ("token : cross_entropy(x0) on mask", "mean over sequences"),
        "decoder": (),
        "step": ("unmask one by random", "draw token"),
        "collate": ("text : cls bos [body] eos",),
    },
    "gone": {
        "noise": ("clean -> gone survival alpha(t) = 1 - t", "amount count ~ uniform(0, length)"),
        "network": ("backbone dit", "head slot : logits at gaps"),
        "loss": ("slot : joint_cross_entropy(gone)", "mean over sequences"),
        "decoder": ("stop when length = limit",),
        "step": ("insert tokens one", "draw slot"),
        "collate": ("text : cls bos [body] eos",),
    },
    "none": {
        "noise": ("none",),
        "network": ("backbone rotary", "head token : logits"),
        "loss": ("token : cross_entropy(following)", "mean over sequences"),
        "decoder": ("stop when length = limit",),
        "step": ("append one", "draw token"),
        "collate": ("text : cls bos [body]",),
    },
    "both": {
        "noise": (
            "clean -> mask survival alpha(t) = 1 - t",
            "mask -> gone survival beta(t) = 1 - t",
            "amount t ~ uniform(1e-3, 1)",
        ),
        "network": (
            "backbone dit",
            "head token : logits",
            "head gap : count at gaps",
        ),
        "loss": (
            "token : cross_entropy(x0) on mask",
            "gap : poisson(gone) weight bound",
            "mean over sequences",
        ),
        "decoder": ("param steps : Count = 8", "grid uniform(steps)"),
        "step": (
            "unmask chance reveal(alpha)",
            "draw token",
            "insert masks poisson gap * reveal(beta)",
        ),
        "collate": ("text : cls bos [body] eos",),
    },
}
GRID = ("param steps : Count = 8", "grid uniform(steps)")


def again(rule: str) -> tuple[Mapping[str, str], ...]:
    """Return the lines of a step that hides tokens again: by masks, or by dropping them."""
    masks = dict.fromkeys(("mask", "none", "both"), f"remask {rule}")
    return masks, {"gone": "insert tokens quota 1"}, {"gone": f"delete {rule}"}


FEATURES: dict[str, dict[str, Sequence[str | Mapping[str, str]]]] = {
    # the noise
    "the amount is a time": {"noise": ("amount t ~ uniform(0.1, 0.9)",)},
    "the amount is a count": {"noise": ("amount count ~ uniform(1, length)",)},
    "the amount is fixed": {
        "noise": ("amount t ~ fixed(0.4)",),
        "loss": ({"both": "gap : poisson(gone)"},),  # no bound is of one time
    },
    "amounts are spread over a batch": {"noise": ("amount t ~ uniform(1e-3, 1) stratified",)},
    "a survival that is no line": {
        "noise": (
            {"mask": "clean -> mask survival alpha(t) = cos(pi / 2 * t)"},
            {"gone": "clean -> gone survival alpha(t) = cos(pi / 2 * t)"},
            {"both": "mask -> gone survival beta(t) = cos(pi / 2 * t)"},
        )
    },
    "a param inside a survival": {
        "noise": (
            dict.fromkeys(("mask", "gone", "both"), "param power : Scale = 2.0"),
            {
                "mask": "clean -> mask survival alpha(t) = (1 - t)**power",
                "gone": "clean -> gone survival alpha(t) = (1 - t)**power",
                "both": "clean -> mask survival alpha(t) = (1 - t)**power",
            },
        )
    },
    # the network
    "the network gets the time": {
        "network": ("backbone dit(condition = t)",),
        "decoder": ({"gone": GRID[0]}, {"gone": GRID[1]}),
    },
    "a backbone of one's own": {"network": ('backbone python "mine.parts:Backbone"',)},
    "published weights": {"network": ('backbone qwen2(pretrained = "some/one")',)},
    "a second head of tokens": {
        "network": ("head second : logits{place}",),
        "loss": ("second : {term}",),
    },
    "a shifted head": {"network": ("head {main} : logits{place} shifted",)},
    "a head that ends a row": {
        "noise": (
            {"mask": "amount count ~ uniform(0, length)"},
            {"gone": "amount count ~ uniform(0, length)"},
        ),
        "network": ("head done : chance at cls",),
        "loss": (
            {
                "mask": "done : binary_cross_entropy(none mask)",
                "gone": "done : binary_cross_entropy(none gone)",
                "none": "done : binary_cross_entropy(none gone)",
                "both": "done : binary_cross_entropy(none gone)",
            },
        ),
        "decoder": ("stop when done > 0.5 or length = limit",),
    },
    "numbers of tokens that are missing in gaps": {
        "network": ("head gap : count at gaps",),
        "loss": ("gap : poisson(gone)",),
    },
    "laws of the number missing in a gap": {
        "network": ("head gap : distribution(8) at gaps",),
        "loss": ("gap : cross_entropy(gone)",),
    },
    "a head of the length": {
        "network": ("head size : distribution(64) at cls",),
        "loss": ("size : cross_entropy(length)",),
        "decoder": ("start masks(size)",),
    },
    # the loss
    "the weight of the bound": {"loss": ("{main} : {term} weight bound",)},
    "the weight of the bound, capped": {
        "loss": ("param cap : Scale = 2.0", "{main} : {term} weight min(bound, cap)"),
    },
    "a weight of what is visible around a place": {
        "loss": ("{main} : {term} weight visible(geometric(0.3))",)
    },
    "a mean over the corrupted tokens of a row": {
        "loss": ({"mask": "mean over masked per sequence"}, {"gone": "mean over gone per sequence"},
                 {"both": "mean over masked per sequence"}),
    },
    "a mean over tokens": {"loss": ("mean over tokens",)},
    # how many
    "a grid of times": {"decoder": GRID},
    "times of the exact chain": {"decoder": ("grid events",)},
    "so many with a chance each": {"step": ("{act} chance 0.5",)},
    "a quota": {"step": ("{act} quota 2",)},
    "those above a threshold": {"step": ("{act} above 0.5 by confidence",)},
    "those whose errors add up to little": {"step": ("{act} within 0.5 by confidence",)},
    "a threshold, else a quota": {"step": ("{act} above 0.5 else quota 1 by confidence",)},
    "a quota that reads the network's answer": {
        "network": ({"gone": "head gap : count at gaps"},),
        "loss": ({"gone": "gap : poisson(gone)"},),
        "step": ("{act} quota 1 + {missing} * confidence by confidence",),
    },
    # which
    "the surest first": {"step": ("{act} one by confidence",)},
    "an order with a temperature that falls": {
        "decoder": GRID,
        "step": ("{act} quota 2 by confidence temperature 2 * s",),
    },
    # other parts of a decoder
    "remasking with a chance": {"decoder": GRID, "step": again("chance 0.1")},
    "remasking of the least sure": {"decoder": GRID, "step": again("quota 1 by confidence")},
    "blocks": {"decoder": ("blocks 4",)},
    "guidance": {
        "decoder": ("guide cfg(scale = 2.0, without = prompt)",),
        "collate": ("seq2seq : prompt {before} [body]",),
    },
    "stop strings": {"decoder": ("stop when text = stop_strings or length = limit",)},
    "a finish": {"decoder": (*GRID, "finish {{ {act} all; draw {main} greedy }}")},
    "reuse of an answer": {"decoder": ("reuse while unchanged",)},
    "a cache of what was read": {"decoder": ("reuse while prefix",)},
    "a gap is picked, then a token": {"step": ("pick gap greedy", "draw {main}")},
    "truncated draws": {
        "decoder": ("param top_p : Chance = 0.9",),
        "step": ("draw {main} with top_p, temperature = 0.5",),
    },
    # layouts
    "an end that is predicted": {
        "decoder": ({"none": "stop when last = eos or length = limit"},),
        "collate": ("text : cls bos [body eos]",),
    },
    "tokens that are given": {"collate": ("infill : cls bos [body] keeping given",)},
    "a beginning that is given": {"collate": ("infill : cls bos [body] keeping prefix",)},
    # families that extend others, and types
    "a param that is at least 1": {
        "decoder": ("param few : Size = 2",),
        "step": ("{act} quota few",),
    },
}  # fmt: skip

# Other spellings, where one line has another in its way.
ALSO: dict[tuple[str, str], dict[str, Sequence[str]]] = {
    ("mask", "stop strings"): {"decoder": ("stop when no mask or text = stop_strings",)},
    ("both", "stop strings"): {"decoder": ("stop when text = stop_strings",)},
    ("mask", "a head that ends a row"): {
        "noise": ("amount count ~ uniform(0, length)",),
        "network": ("head done : chance at cls",),
        "loss": ("done : binary_cross_entropy(none mask)",),
    },
    ("gone", "amounts are spread over a batch"): {
        "noise": ("amount count ~ uniform(0, length) stratified",)
    },
    ("gone", "the network gets the time"): {
        "noise": ("amount t ~ uniform(0, 1)",),
        "network": ("backbone dit(condition = t)",),
    },
    ("gone", "an end that is predicted"): {"collate": ("text : cls bos [body eos]",)},
    ("gone", "reuse of an answer"): {
        "decoder": (*GRID, "reuse while unchanged"),
        "step": ("insert tokens chance 0.5",),
    },
    ("gone", "the weight of the bound"): {
        "noise": ("amount count ~ uniform(0, length)",),
        "network": ("head done : chance at cls",),
        "loss": (
            "slot : joint_cross_entropy(gone) weight bound",
            "done : binary_cross_entropy(none gone) weight bound",
        ),
        "decoder": ("stop when done > 0.5 or length = limit",),
    },
    ("gone", "the weight of the bound, capped"): {
        "noise": ("amount count ~ uniform(0, length)",),
        "network": ("head done : chance at cls",),
        "loss": (
            "param cap : Scale = 2.0",
            "slot : joint_cross_entropy(gone) weight min(bound, cap)",
            "done : binary_cross_entropy(none gone) weight bound",
        ),
        "decoder": ("stop when done > 0.5 or length = limit",),
    },
}

CHILDREN: dict[str, tuple[Lines, Lines]] = {
    "a decoder of the parent is dropped": (
        {"decoder spare": ("step {{ {act} one; draw {main} greedy{more} }}",)},
        {"": ("drop decoder spare",)},
    ),
    "a head of the parent is dropped": (
        {"network": ("head second : logits{place}",), "loss": ("second : {term}",)},
        {"network": ("drop second",), "loss": ("drop second",)},
    ),
}


def key(line: str) -> str:
    """The words by which a line takes the place of another."""
    words = line.split()
    if words[:2] == ["insert", "tokens"]:
        return "insert tokens"
    return " ".join(words[: 2 if words[0] in ("param", "head", "let", "insert") else 1])


def merged(base: Lines, kind: str, more: Mapping[str, Sequence[str | Mapping[str, str]]]) -> Lines:
    """A family with the lines of a feature."""
    made = {section: {key(line): line for line in lines} for section, lines in base.items()}
    for section, lines in more.items():
        for line in lines:
            text = line if isinstance(line, str) else line.get(kind)
            if text is not None:
                text = text.format(**WORDS[kind])
                made.setdefault(section, {})[key(text)] = text
    return {section: tuple(lines.values()) for section, lines in made.items()}


def written(name: str, lines: Lines, parent: str = "") -> str:
    """The text of a spec."""
    head = f"family {name} extends {parent}" if parent else f"family {name}"
    step = lines.get("step", ())
    parts = [f"  {line}\n" for line in lines.get("", ())]
    for section, entries in lines.items():
        if section in ("", "step"):
            continue
        own = "".join(f"    {line}\n" for line in entries)
        if section == "decoder" and step:
            own += "    step {\n" + "".join(f"      {line}\n" for line in step) + "    }\n"
        parts.append(f"  {section} {{\n{own}  }}\n")
    return f"{head} {{\n{''.join(parts)}}}\n"


def names() -> list[str]:
    """The features."""
    return [*FEATURES, *CHILDREN]


def cell(feature: str, kind: str, name: str) -> Iterator[dict[str, str]]:
    """The specs of a cell, by the names of their families: each spelling, the cell's own first."""
    base = BASES[kind]
    if feature in CHILDREN:
        parent, child = CHILDREN[feature]
        yield {
            name: written(name, merged({}, kind, child), f"{name}_parent"),
            f"{name}_parent": written(f"{name}_parent", merged(base, kind, parent)),
        }
        return
    for more in (FEATURES[feature], ALSO.get((kind, feature))):
        if more and any(
            isinstance(one, str) or kind in one for lines in more.values() for one in lines
        ):
            yield {name: written(name, merged(base, kind, more))}


def cells() -> Iterator[tuple[str, str]]:
    """All cells: features, each with all kinds of noise."""
    return product(names(), KINDS)
