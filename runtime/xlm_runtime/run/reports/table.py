"""The lines of an evaluation, as a terminal and a card show them."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from xlm_runtime.model import evaluate
from xlm_runtime.run.reports import measured


def table(found: Mapping[str, Any]) -> list[str]:
    """Return the metrics as lines; every likelihood shows its claim."""
    lines = [f"evaluation of {found['checkpoint']} on {seen(found)} test examples"]
    if "data" in found:
        lines.append(f"  the data are {found['data']}")
    if found.get("loss_split") == "validation":
        few = found.get("loss_examples", 0) > found.get("loss_count", 0)
        some = f", {found['loss_count']} of {found['loss_examples']} examples" if few else ""
        lines.append(f"  loss and likelihood are of the validation split{some}")
    loss = evaluate.shown(found["loss"]) if "loss" in found else {}
    answers = (found.get("answers", {}), "decoded")
    sections = ((loss, ""), *_likelihood(found), answers, (found.get("decoding", {}), ""))
    return [*lines, *values(sections, found), *_about(found)]


def likelihoods(found: Mapping[str, Any]) -> list[str]:
    """Return the lines of an evaluation that no decoder changes; none without a likelihood."""
    if "likelihood" not in found:
        return []
    return [*values(_likelihood(found), {}), *_about(found)]


def _likelihood(found: Mapping[str, Any]) -> list[tuple[dict[str, float], str]]:
    part = {k: v for k, v in found.get("likelihood", {}).items() if k != "estimator"}
    return evaluate.sections(part, found["claim"]["value"])


def _about(found: Mapping[str, Any]) -> list[str]:
    """Return the lines about a likelihood: its estimators and its claim."""
    claim, part = found["claim"], found.get("likelihood", {})
    estimator, lengths = part.get("estimator", ""), part.get("joint", {}).get("lengths")
    said = "no likelihood" if claim["value"] == "none" else claim["value"]
    lines = [f"  likelihood by: {estimator}"] if estimator else []
    lines += [f"  joint by: {lengths}"] if lengths else []
    return [*lines, f"  {said}: {claim['why']}"]


def seen(found: Mapping[str, Any]) -> str:
    """Format how many test examples an evaluation saw: ``50``, or ``50 of 1000`` for a part."""
    seen = str(found["examples"])
    return f"{seen} of {found['test_examples']}" if measured.is_part(found) else seen


def values(
    sections: Sequence[tuple[Mapping[str, float | None], str]], found: Mapping[str, Any]
) -> list[str]:
    """Format numbers as lines, each with its error and the mark of its section.

    None is a number that is not finite, which JSON does not have.
    """
    rows = [
        (name, value, part.get(f"{name}_error"), mark)
        for part, mark in sections
        for name, value in part.items()
        if not name.endswith(("_error", "_count"))  # beside what they belong to
    ]
    rows += [("a_guess_would_be", found["guess"], None, "")] if "guess" in found else []
    wide = max(18, *(len(name) + 1 for name, *_ in rows)) if rows else 18
    lines = []
    for name, value, error, mark in rows:
        spread = f"± {error:.4f}" if error is not None and isfinite(error) else ""
        said = f"{value:.4f}" if value is not None and isfinite(value) else "not finite"
        lines.append(f"  {name.replace('_', ' '):<{wide}}{said:>10} {spread + ' ':<10}{mark}")
    if "asked" in found:
        lines.append(f"  requested: {', '.join(found['asked'])}")
    if "decoder_params" in found:
        params = [f"{name} {value}" for name, value in found["decoder_params"].items()]
        listed = f" ({', '.join(params)})" if params else ""
        lines.append(f"  decoder: {found['decoder']}{listed}, draws in float64")
    if "layout" in found:
        lines.append(f"  layout: {found['layout']}")
    if "protocol" in found:
        lines.append(f"  protocol: {found['protocol']}")
    return [line.rstrip() for line in lines]
