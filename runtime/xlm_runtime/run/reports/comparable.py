"""Reasons why numbers of two evaluations do not compare."""

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from xlm_runtime.run.reports import measured
from xlm_runtime.run.reports.numbers import Kind

PER_TOKEN = ("nats_per_token", "bits_per_token", "perplexity", "token_accuracy")
_ALL: tuple[Kind, ...] = ("answers", "likelihood", "joint", "decoding", "loss")
_DECODED: tuple[Kind, ...] = ("answers", "decoding")
_LIKELY: tuple[Kind, ...] = ("likelihood", "joint")


@frozen
class Side:
    """An evaluation with the facts of its run."""

    facts: Mapping[str, Any]
    found: Mapping[str, Any]

    def setting(self, section: str, key: str) -> object:
        """Return a setting of the evaluation; None if there is none."""
        return self.found.get("settings", {}).get(section, {}).get(key)


@frozen
class Reason:
    """The kinds of numbers that do not compare, and the reason."""

    kinds: tuple[Kind, ...]
    text: str
    names: tuple[str, ...] = ()  # only these, if there are any

    def concerns(self, name: str, kind: str) -> bool:
        """Return whether a number does not compare for this reason."""
        plain = name.removeprefix("joint_")
        return kind in self.kinds and (not self.names or plain in self.names)


def reasons(one: Side, other: Side) -> list[Reason]:
    """Return the reasons why numbers of two evaluations do not compare; none if all do."""
    return [*_data(one, other), *_decoding(one, other), *_likelihood(one, other)]


def _data(one: Side, other: Side) -> Iterator[Reason]:
    if one.facts["task"] != other.facts["task"]:
        tasks = f"{one.facts['task']} and {other.facts['task']}"
        yield Reason(_ALL, f"they are of different tasks, {tasks}")
    yield from _splits(one, other)
    for key, kinds in (("examples", _DECODED), ("loss_count", (*_LIKELY, "loss"))):
        counts = one.found.get(key), other.found.get(key)
        if None not in counts and counts[0] != counts[1]:
            text = f"they are of different numbers of examples, {counts[0]} and {counts[1]}"
            parts = any(measured.is_part(side.found) for side in (one, other))
            yield Reason(kinds, text + (": a part of the test data is for debugging" * parts))
    splits = one.found.get("loss_split"), other.found.get("loss_split")
    if splits[0] != splits[1]:
        yield Reason(
            (*_LIKELY, "loss"), f"they are of different splits, {splits[0]} and {splits[1]}"
        )
    if one.found["of"].get("package") != other.found["of"].get("package"):
        yield Reason(("loss",), "the objectives of different packages are different quantities")


def _splits(one: Side, other: Side) -> Iterator[Reason]:
    """Yield the reasons in the hashes of test and validation examples."""
    if one.found["of"].get("data") == other.found["of"].get("data"):
        return
    prints = [side.found.get("splits") for side in (one, other)]
    if None in prints:
        yield Reason(
            _ALL,
            "an earlier version evaluated one of them, and kept no hash of the data "
            "that compares: evaluate it again",
        )
        return
    measures: tuple[tuple[tuple[Kind, ...], str], ...] = (
        (_DECODED, "test"),
        ((*_LIKELY, "loss"), str(one.found.get("loss_split", "test"))),
    )
    for kinds, split in measures:
        texts, tokens = (
            [found.get(split, {}).get(kind) for found in prints if found]
            for kind in ("texts", "tokens")
        )
        if texts[0] != texts[1]:
            yield Reason(kinds, f"they are of different {split} data (the hashes differ)")
        elif tokens[0] != tokens[1]:
            text = f"the texts are the same, but not their tokens ({split} data)"
            yield Reason(kinds, text, PER_TOKEN)


def _decoding(one: Side, other: Side) -> Iterator[Reason]:
    for section, key, text in (
        ("eval", "oracle", "only one of them is given the lengths of the answers (eval.oracle)"),
        ("eval", "samples", "the number of generated texts differs (eval.samples)"),
        ("generate", "stop", "the texts are cut at different strings (generate.stop)"),
        ("generate", "suppress", "different tokens are suppressed (generate.suppress)"),
    ):
        if one.setting(section, key) != other.setting(section, key):
            yield Reason(_DECODED, text)
    if one.found.get("protocol") != other.found.get("protocol"):
        yield Reason(("answers",), "they are judged by different protocols")
    judges = [set(side.found.get("asked", ())) for side in (one, other)]
    for name in {text.partition("=")[0] for text in judges[0] ^ judges[1]}:
        if all(any(text.partition("=")[0] == name for text in side) for side in judges):
            yield Reason(("answers",), f"{name} has different judges", (name,))
    yield Reason(
        ("decoding",), "a speed is of the machine, and of what else it did", ("tokens_per_second",)
    )


def _likelihood(one: Side, other: Side) -> Iterator[Reason]:
    claims = [side.found["claim"]["value"] for side in (one, other)]
    if "none" in claims:
        return
    if claims[0] != claims[1]:
        yield Reason(
            _LIKELY, "one is tight and the other a bound, which may be above the true number"
        )
    parts = [side.found.get("likelihood", {}) for side in (one, other)]
    given = [part.get("given", "") for part in parts]
    if given[0] != given[1]:
        texts = " and ".join(text or "given nothing" for text in given)
        hint = "; the joint numbers compare" if any("joint" in part for part in parts) else ""
        yield Reason(("likelihood",), f"their conditions differ, {texts}{hint}")
    joint = [part.get("joint", part).get("given", "") for part in parts]
    if joint[0] != joint[1]:
        texts = " and ".join(text or "given nothing" for text in joint)
        yield Reason(("joint",), f"the conditions of the joint numbers differ, {texts}")
