"""The card of a shared run: what the model is, how good it is, how it is used."""

from collections.abc import Mapping
from typing import Any

from xlm_runtime.atomic import read_json
from xlm_runtime.jobs import table
from xlm_runtime.plug import Family
from xlm_runtime.runs import Run, home

_CARD = """\
---
{about}
---

# {title} on `{task}`

A model of the family `{family}`, trained on the task `{task}`:
{steps} steps, preset {preset}, seed {seed}.

{numbers}

The package in `package/` is what was trained. It was compiled by xlmc from this spec:

```
{spec}
```

## Use

```sh
xlmc pull {repo}
xlmc run {folder}/package --task {task} --job eval --run {folder}
```

The package is Python: read it before you run it. From Python:

```python
import xlm_runtime

model = xlm_runtime.load("{folder}")
print(model.generate({asked}))
```
"""


def card(repo: str, family: Family, run: Run, metrics: Mapping[str, Any]) -> str:
    """The card of a run that is laid out to be shared, in Markdown with the header of the Hub.

    ``metrics`` are those of the checkpoint that is shared; empty where it was not evaluated.
    """
    from huggingface_hub import ModelCardData

    facts, config = run.facts, run.config
    tags = [family.name, facts["task"]]
    prompted = read_json(run.path / "data.json")["prompt"]
    return _CARD.format(
        about=ModelCardData(library_name="xlmc", tags=tags).to_yaml(),
        title=family.title,
        family=family.name,
        task=facts["task"],
        steps=run.steps,
        preset=facts["preset"],
        seed=config.train.seed,
        numbers=_numbers(metrics),
        spec=_spec(run, family.name),
        repo=repo,
        folder=home(family.name, facts["task"]) / repo.partition("/")[2],
        asked='["a prompt"]' if prompted else "",
    )


def _numbers(metrics: Mapping[str, Any]) -> str:
    if not metrics:
        return "It was not evaluated."
    lines = "\n".join(table(metrics))
    return f"```\n{lines}\n```"


def _spec(run: Run, family: str) -> str:
    """The spec of a package, then those of its parents."""
    every = sorted(run.package.glob("*.xlm"), key=lambda file: (file.stem != family, file.name))
    return "\n".join(file.read_text(encoding="utf-8").rstrip() for file in every)
