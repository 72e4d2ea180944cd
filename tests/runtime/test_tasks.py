"""The registry of tasks, and a task of one's own."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from lm1b import SPECIALS

from xlm_runtime import tasks
from xlm_runtime.metrics import Answer
from xlm_runtime.system.errors import UsageError
from xlm_runtime.tasks.base.prepared import DataOptions, Prepared
from xlm_runtime.tasks.base.task import Task

# ---------------------------------------------------------------- registry


@pytest.mark.parametrize("name", tasks.names())
def test_every_name_has_its_task(name: str) -> None:
    task = tasks.get(name)
    assert task.name == name
    assert task.title
    assert task.layout in ("text", "seq2seq", "infill")
    assert set(task.quick) >= {"train.steps", "train.batch", "train.learning_rate"}
    assert {path.split(".")[0] for path in task.quick} <= {"model", "train", "eval", "generate"}


def test_names_cost_no_imports() -> None:
    code = (
        "import sys; from xlm_runtime import tasks; assert tasks.names();"
        "print({'torch', 'datasets', 'numpy', 'tokenizers', 'transformers'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", f"import sys; sys.path = {sys.path!r}; {code}"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "set()\n"


def test_an_unknown_name_is_answered_with_the_names() -> None:
    with pytest.raises(UsageError) as raised:
        tasks.get("star_esay")
    first, second = str(raised.value).splitlines()
    assert first == "there is no task 'star_esay', did you mean 'star_easy'?"
    assert all(name in second for name in tasks.names())


def test_metrics_go_by_layout() -> None:
    data = cast(Prepared, None)  # these tasks do not look at it
    assert set(tasks.get("star_easy").metrics(data)) == {"exact_match", "token_accuracy"}
    distinct = {"distinct_1", "distinct_2", "distinct_3"}
    expected = {"unigram_entropy", "repetition", "length", *distinct}
    assert set(tasks.get("lm1b").metrics(data)) == expected


# ---------------------------------------------------------------- a task of one's own

OWN = '''
"""Words backwards."""

from itertools import permutations

from xlm_runtime.tasks.base.prepared import Prepared
from xlm_runtime.plug import Example
from xlm_runtime.tasks.base.task import Task
from xlm_runtime.tokenizers import words


class Reverse(Task):
    name = "reverse"
    title = "Words backwards"
    layout = "seq2seq"
    quick = {"model.size": "tiny", "train.steps": 1000}

    def prepare(self, options):
        tokenizer = words("abcdefgh", options.specials)
        ids = [tokenizer.encode(" ".join(w)) for w in permutations("abcdefgh", 4)]
        pairs = [Example(i, body=w[::-1], prompt=w) for i, w in enumerate(ids)]
        return Prepared(
            train=pairs[200:], validation=pairs[:100], test=pairs[100:200],
            tokenizer=tokenizer, body=4, prompt=4,
        )


REVERSE = Reverse()
NUMBER = 3
'''


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package of the user's in the folder where the command is given."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    package = tmp_path / "own_tasks"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "reverse.py").write_text(OWN)
    yield package
    for name in [name for name in sys.modules if name.startswith("own_tasks")]:
        del sys.modules[name]


def test_a_task_of_one_s_own_in_one_file(own: Path, cache: Path) -> None:
    task = tasks.get(f"{own.name}.reverse:REVERSE")
    made = task.prepare(DataOptions(preset="quick", cache=cache, specials=SPECIALS))
    example = made.example("a b c d")
    assert isinstance(task, Task)
    assert list(example.prompt) == [0, 1, 2, 3]
    metrics = task.metrics(made)
    for i in range(len(made.test)):
        metrics.update(Answer(list(made.test[i].prompt)[::-1], made.test[i], made.tokenizer))
    assert float(metrics.compute()["exact_match"]) == 1
    assert made.lengths.tolist()[:3] == [4, 4, 4]


def test_the_task_in_the_documentation_is_this_one() -> None:
    shown = " ".join((Task.__doc__ or "").split())
    assert " ".join(OWN[OWN.index("class Reverse") : OWN.index("NUMBER")].split()) in shown


@pytest.mark.parametrize(
    ("dotted", "message"),
    [
        ("own_tasks.nothing:X", "there is no module own_tasks.nothing"),
        ("no_such_package.x:X", "there is no module no_such_package"),
        ("own_tasks.reverse:REVERS", r"has no 'REVERS' \(tasks in it: REVERSE\)"),
        ("own_tasks.reverse:Reverse", "'Reverse' is a class; name an instance"),
        ("own_tasks.reverse:NUMBER", "'NUMBER' is an int, not an instance of a Task"),
        ("own_tasks.needy:X", "own_tasks.needy needs no_such_library, which is not there"),
        ("own_tasks.broken:X", "own_tasks.broken cannot be imported"),
        ("own_tasks.old:X", "cannot import name 'nothing'"),
    ],
)
@pytest.mark.usefixtures("own")
def test_what_is_wrong_with_a_dotted_path_is_said(
    dotted: str, message: str, tmp_path: Path
) -> None:
    package = tmp_path / "own_tasks"
    (package / "needy.py").write_text("import no_such_library")
    (package / "broken.py").write_text("def (")
    (package / "old.py").write_text("from xlm_runtime.tasks.base.task import nothing")
    with pytest.raises(UsageError, match=message):
        tasks.get(dotted)


def test_a_fault_in_the_user_s_module_keeps_its_own_error(own: Path) -> None:
    (own / "faulty.py").write_text("1 / 0")
    with pytest.raises(ZeroDivisionError) as raised:
        tasks.get("own_tasks.faulty:X")
    assert raised.value.__notes__ == [
        "while importing own_tasks.faulty for --task own_tasks.faulty:X"
    ]
