"""The features of the language that specs have: patterns of text, by kind."""

import re
from collections.abc import Sequence

FEATURES = {
    "noise": ("clean -> mask", "clean -> gone", "mask -> gone", r"\bnone\b"),
    "amount": ("t ~ uniform", "t ~ fixed", "count ~ uniform", "antithetic", "stratified"),
    "backbone": ("rotary", r"dit\n", r"dit\(condition = t", "condition = sigma",
                 r"qwen2\n", "pretrained", "python"),
    "head": (": logits", "logits at tokens", "logits at gaps", "shifted", ": chance at cls",
             ": chance at bos", ": count", r": distribution\("),
    "divergence": (r" cross_entropy\(x0", r" cross_entropy\(following", r" cross_entropy\(gone",
                   "joint_cross_entropy", r"binary_cross_entropy\(none gone",
                   r"binary_cross_entropy\(none mask", "balance =", r"poisson\(gone"),
    "weight": ("weight bound", "weight min", "visible", "hazard", r"alpha'", "weight half",
               "count"),
    "mean": ("over tokens", "over masked", "over gone", "over block", "over sequences",
             "per sequence"),
    "action": ("unmask", "remask", "insert tokens", "insert masks", "append", "pick gap", "draw"),
    "rule": ("unmask chance", "unmask quota", "unmask poisson", "unmask above", "unmask within",
             "unmask one", "unmask all", "remask chance", "remask quota", "remask one",
             "masks poisson", "masks chance"),
    "order": ("by confidence", "by margin", "by entropy", "by random", "by left", "by order",
              "of sampled", "of likeliest", "of tempered", r"by .*temperature"),
    "draw": ("greedy", "temperature", "top_k", "top_p"),
    "grid": ("grid uniform", "grid events", "drop grid"),
    "start": ("start masks", "start empty", "start prompt"),
    "stop": ("no mask", "stop_strings", "= limit", "= oracle", "done >", "chance done", "tempered",
             "last = eos", "gap < early"),
    "more": ("blocks", "guide .*prompt", "guide .*given", "finish", "reuse while unchanged",
             "reuse while prefix", "overflow skip_row", "overflow drop_right", r"\blet\b"),
    "param": (": Count", ": Chance", ": Scale", r"param \w+ = "),
    "layout": ("text :", "seq2seq :", "infill :", "keeping given", "keeping prefix", "eos pad",
               "pad body", "pad prompt", "pad .*left"),
    "family": ("recipe", "extends", r"\bdrop\b", "replace"),
}  # fmt: skip


def coverage(texts: Sequence[str]) -> dict[str, int]:
    """How many of some specs have each feature."""
    return {
        f"{kind}: {pattern}": sum(bool(re.search(pattern, text)) for text in texts)
        for kind, patterns in FEATURES.items()
        for pattern in patterns
    }


def shown(texts: Sequence[str]) -> str:
    """The coverage, one line a kind of feature."""
    counts = coverage(texts)
    lines = [
        f"  {kind:10} " + ", ".join(f"{p} {counts[f'{kind}: {p}']}" for p in patterns)
        for kind, patterns in FEATURES.items()
    ]
    return "\n".join([f"coverage of {len(texts)} random specs", *lines]).replace("\\", "")


def summary(texts: Sequence[str]) -> str:
    """The coverage in one line."""
    counts = coverage(texts)
    missing = [feature.replace("\\", "") for feature, count in counts.items() if not count]
    rest = f"; missing: {'; '.join(missing)}" if missing else ""
    found = len(counts) - len(missing)
    return f"{len(texts)} random specs with {found} of {len(counts)} features{rest}"
