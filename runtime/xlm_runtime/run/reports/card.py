"""The card of a shared run: what the model is, how good it is, how it is used."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from xlm_runtime.plug import Family
from xlm_runtime.run.folder.runs import Run, home
from xlm_runtime.run.initial import BEGAN
from xlm_runtime.run.reports import measured
from xlm_runtime.run.reports.table import table

_CARD = """\
---
{about}
---

# {title} on `{task}`

A model of the family `{family}`, trained on the task `{task}`:
{steps} steps, preset {preset}, seed {seed}{noise}{began}.

{numbers}

The package in `package/` is what was trained. It was compiled by xlmc from this spec:

{spec}

## Use

```sh
xlmc pull {repo}
xlmc run {folder}/package --task {task} --job eval --run {folder}
```

The package is Python. `xlmc pull` says whether it is what xlmc makes of the spec, and so can do no
more than a spec can; other code is yours to read before you let it run with `--trust`. From Python:

```python
import xlm_runtime

model = xlm_runtime.load("{folder}")
print(model.generate({asked}))
```
"""


def card(repo: str, family: Family, run: Run, notes: Sequence[str]) -> str:
    """Return the card of a shared run, in Markdown with the header of the Hub.

    ``notes`` are remarks on its evaluation, or on the lack of one.
    """
    from huggingface_hub import ModelCardData

    facts, config = run.facts, run.config
    tags = [family.name, facts["task"]]
    prompted = run.data["prompt"]
    return _CARD.format(
        about=ModelCardData(library_name="xlmc", tags=tags).to_yaml(),
        title=_line(family.title),
        family=family.name,
        task=facts["task"],
        steps=run.steps,
        preset=facts["preset"],
        seed=config.train.seed,
        noise=_noise(family, config.noise),
        began=_began(facts),
        numbers=_numbers(measured.read(run.path / measured.METRICS), notes),
        spec=_fenced(_spec(run, family.name)),
        repo=repo,
        folder=home(family.name, facts["task"]) / repo.partition("/")[2],
        asked='["a prompt"]' if prompted else "",
    )


def _noise(family: Family, params: Mapping[str, Any]) -> str:
    """Describe the params of the noise, and those that differ from the spec's own."""
    if not params:
        return ""
    own = {one.name: one.default for one in family.params.get("noise", ())}
    shown = ", ".join(f"`{name} = {value:g}`" for name, value in params.items())
    others = [f"`{name} = {own[name]:g}`" for name in params if params[name] != own.get(name)]
    apart = f": another process than that of {', '.join(others)}, the spec's own" if others else ""
    return f", under a noise of {shown}{apart}"


def _began(facts: Mapping[str, Any]) -> str:
    """Name the weights that the run started from."""
    about = facts.get(BEGAN)
    source = about.get("weights") if isinstance(about, dict) else None
    return f", started from the weights of {_line(source)}" if isinstance(source, str) else ""


def _numbers(metrics: Mapping[str, Any], notes: Sequence[str]) -> str:
    marks = [f"**{note}**" for note in notes]
    return "\n\n".join([*marks, *([_fenced("\n".join(table(metrics)))] if metrics else [])])


def _line(text: str) -> str:
    """Escape the characters that Markdown or HTML interprets."""
    return re.sub(r"([\\`*_{}\[\]()<>#+!|&~-])", r"\\\1", " ".join(text.split()))


def _fenced(text: str) -> str:
    """Fence a text with more backticks than it contains, so that all of it stays a text."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"


def _spec(run: Run, family: str) -> str:
    """Return the spec of a package, then those of its parents."""
    every = sorted(run.package.glob("*.xlm"), key=lambda file: (file.stem != family, file.name))
    return "\n".join(file.read_text(encoding="utf-8").rstrip() for file in every)
