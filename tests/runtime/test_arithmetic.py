"""Programs run apart, numbers in texts, and the tasks tinygsm and gsm8k."""

import os
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, pre_tokenizers

from xlm_runtime import tasks
from xlm_runtime.data import hub
from xlm_runtime.metrics import Answer, sandbox
from xlm_runtime.metrics.arithmetic import Number, Programs, last_number
from xlm_runtime.metrics.sandbox import run
from xlm_runtime.plug import Example
from xlm_runtime.system.errors import RunError
from xlm_runtime.tasks import gsm8k
from xlm_runtime.tasks.base.prepared import DataOptions, Prepared
from xlm_runtime.tasks.base.word_problems import problems
from xlm_runtime.tokenizers import bpe

SPECIALS = ("pad", "mask", "bos", "eos")
UNENDING = """import signal
signal.setitimer(signal.ITIMER_REAL, 0)
signal.signal(signal.SIGXCPU, signal.SIG_IGN)
"""


# ---------------------------------------------------------------- programs


@pytest.mark.parametrize(
    ("program", "number"),
    [
        ("def simple_math_problem():\n    return 3 * 4", 12),
        (
            "def simple_math_problem() -> float:\n    '''Why?'''\n    x = 7 / 2\n    return x",
            3.5,
        ),
        ("def a():\n    return 1\n\ndef b():\n    return a() + 1", 2),
        ("def simple_math_problem():\n    return a()\n\ndef a():\n    return 5", 5),
        ("import math\nresult = math.comb(10, 3)", 120),
        ("from fractions import Fraction\nanswer = Fraction(1, 4)", 0.25),
        ("print('so:')\nresult = '$1,234'", 1234),
        ("result = [9]", 9),
    ],
)
def test_the_number_of_a_program(program: str, number: float) -> None:
    outcome = run(program)
    assert (outcome.kind, outcome.number) == ("number", number), outcome.why


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("result = 1 / 0", "ZeroDivisionError"),
        ("def f(:", "SyntaxError"),
        ("def f(x):\n    return x", "TypeError"),
        ("x = 3", "NoneType is no number"),
        ("result = True", "bool is no number"),
        ("result = [False]", "bool is no number"),
        ("result = float('nan')", "no finite number"),
        ("result = 10 ** 400", "OverflowError"),
        ("def f():\n    return f()", "RecursionError"),
        ("raise SystemExit(0)", "SystemExit"),
        ("import os\nos._exit(0)", "code 0"),
        ("x = [0] * 10 ** 10", "MemoryError"),
        ("", "NoneType is no number"),
        ("import os\nwhile True:\n    os.write(1, b'x' * 1000)", "ended with code"),
        ("\ud800", "SyntaxError"),
    ],
)
def test_a_program_that_crashes(program: str, why: str) -> None:
    outcome = run(program)
    assert outcome.kind == "crash"
    assert why in outcome.why


@pytest.mark.many
@pytest.mark.parametrize(
    "program",
    [
        "while True:\n    pass",
        "import time\ntime.sleep(60)",
        "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True:\n    pass",
        f"{UNENDING}while True:\n    pass",
        f"{UNENDING}import time\ntime.sleep(60)",
        "import os\nwhile True:\n    os.write(2, b'x' * 10000)",
    ],
)
def test_time_is_limited(program: str) -> None:
    run("result = 1")  # the files of Python are in memory
    began = time.monotonic()
    assert run(program, seconds=0.3).kind == "time"
    assert time.monotonic() - began < 5  # half a second after its time, and a start


def test_a_process_that_does_not_begin_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_STARTING", 0.0)
    assert run("result = 1").kind == "time"


def test_files_processes_and_the_network_are_closed(tmp_path: Path) -> None:
    """Each attempt fails, whether it asks Python or looks for a way around its hooks."""
    secret = tmp_path / "secret.txt"
    secret.write_text("42")
    os.environ["XLM_TEST_SECRET"] = "42"
    attempts = [
        f"result = open({str(secret)!r}).read()",
        f"import io\nresult = io.open({str(secret)!r}).read()",
        f"import os\nresult = int(os.read(os.open({str(secret)!r}, 0), 2))",
        f"import os\nos.remove({str(secret)!r})\nresult = 42",
        f"import os\nos.rename({str(secret)!r}, {str(tmp_path / 'x')!r})\nresult = 42",
        "import os\nresult = int(os.environ['XLM_TEST_SECRET'])",
        "import socket\nsocket.socket()\nresult = 42",
        "import _socket\n_socket.socket()\nresult = 42",
        "import subprocess\nresult = int(subprocess.check_output(['echo', '42']))",
        "import os\nos.system('true')\nresult = 42",
        "import os\nif os.fork() == 0:\n    os._exit(0)\nresult = 42",
        "import ctypes\nresult = 42",
        "import xlm_runtime\nresult = 42",
        "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\nresult = 42",
    ]
    if os.geteuid() == 0:  # root may lift limits; hooks still refuse
        attempts.pop()
    try:
        for attempt in attempts:
            outcome = run(attempt)
            assert outcome.kind == "crash", attempt
    finally:
        del os.environ["XLM_TEST_SECRET"]
    assert secret.read_text() == "42"


# ---------------------------------------------------------------- metrics

TOKENIZER = bpe([], 256, ("pad", "eos"))


def _answer(text: str, target: str) -> Answer:
    body = TOKENIZER.encode(target)
    return Answer(TOKENIZER.encode(text), Example(0, body), TOKENIZER)


def test_programs_are_counted_apart() -> None:
    metric = Programs()
    for text, target in [
        ("result = 12", "12"),
        ("result = 11.9995", "12"),  # near enough
        ("result = 11.99", "12"),
        ("result = 1234", "1,234"),
        ("result = 5", "def f():\n    return 2 + 3"),  # the target is a program as well
        ("result = 6", "def f():\n    return 2 + 3"),
        ("result = 1 / 0", "1"),
        ("while True:\n    pass", "1"),
    ]:
        metric.update(_answer(text, target))
    found = {name: float(value) for name, value in metric.compute().items()}
    assert found["solved"] == pytest.approx(4 / 8)
    assert found["wrong_number"] == pytest.approx(2 / 8)
    assert found["crashed"] == found["timed_out"] == pytest.approx(1 / 8)
    assert found["solved_count"] == 8
    metric.update(_answer("result = 2", "1"))  # it waits with others, and is forgotten
    metric.reset()
    metric.update(_answer("result = 1", "1"))
    assert float(metric.compute()["solved"]) == 1


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("so 2 + 3 = 5\n#### 5", 5),
        ("it is 1,234.5 dollars.", 1234.5),
        ("#### -7", -7),
        ("#### $1,000", 1000),
        ("between 3 and 4", 4),
        ("1e3", 1000),
        ("so 1.5e-3", 0.0015),
        ("2E+2 kg", 200),
        ("1,2,3", 3),
        ("1,2345", 2345),
        ("12,345,678.5", 12345678.5),
        ("\N{MINUS SIGN}5", -5),
        ("$\N{MINUS SIGN}5", -5),
        ("8\N{MINUS SIGN}5", 5),
        ("5 of them.", 5),
        ("none", None),
        ("", None),
        ("3 #### none", None),
    ],
)
def test_the_last_number_of_a_text(text: str, number: float | None) -> None:
    assert last_number(text) == number


def test_a_number_alone() -> None:
    assert last_number(" 1,234 ", alone=True) == 1234
    assert last_number("-5", alone=True) == -5
    assert last_number("return 5", alone=True) is None


def test_numbers_in_words() -> None:
    metric = Number()
    for text in ("#### 5", "it is 5.", "#### 5.0", "#### 6", "who knows"):
        metric.update(_answer(text, "2 + 3 = 5\n#### 5"))
    assert float(metric.compute()["solved"]) == pytest.approx(3 / 5)


# ---------------------------------------------------------------- tasks


def _quick(name: str, cache: Path) -> Prepared:
    options = DataOptions(preset="quick", cache=cache, specials=SPECIALS)
    return tasks.get(name).prepare(options)


def test_problems_are_solved_by_their_program_and_in_words() -> None:
    made = list(problems(1, 60))
    assert len({one.question for one in made}) == 60
    for one in made:
        space: dict[str, object] = {}
        exec(one.program, space)
        assert space["simple_math_problem"]() == one.number  # type: ignore[operator]
        assert last_number(one.solution) == one.number
        for line in one.told:
            left, equals, right = line.rpartition(" = ")
            expression = left.rpartition(" has ")[2].rpartition(" are ")[2]
            numbers = "".join(c for c in expression if c in "0123456789+-*/ ").strip()
            if equals and numbers:
                assert eval(numbers) == int(right.split()[0].rstrip("."))
    assert [one.question for one in problems(1, 60)] == [one.question for one in made]
    assert [one.question for one in problems(2, 60)] != [one.question for one in made]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tinygsm", "gsm8k"])
def test_quick_problems_and_their_right_answers(name: str, cache: Path) -> None:
    made = _quick(name, cache)
    prompts = [
        {tuple(split[i].prompt) for i in range(len(split))}
        for split in (made.train, made.validation, made.test)
    ]
    assert sum(map(len, prompts)) == len(set.union(*prompts)) == 20_000
    assert min(map(len, prompts)) > 300
    assert made.body == max(len(made.test[i].body) for i in range(len(made.test)))
    assert made.loss == "test"
    metrics = tasks.get(name).metrics(made)
    for i in range(12):
        metrics.update(Answer(made.test[i].body, made.test[i], made.tokenizer))
    assert float(metrics.compute()["solved"]) == 1


def _tokenizer(folder: Path) -> str:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Backend(models.BPE({letter: i for i, letter in enumerate(alphabet)}, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.save(str(folder / "bytes.json"))
    return str(folder / "bytes.json")


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Parquet files in the places where the Hub keeps those of both data sets."""
    import datasets

    tiny, gsm = tmp_path / "tiny", tmp_path / "gsm"
    (tiny / "data").mkdir(parents=True)
    (gsm / "main").mkdir(parents=True)
    code = "def simple_math_problem():\n    return {}"
    rows = {"question": [f" What is {i}? " for i in range(400)]}
    rows["code"] = [code.format(i) for i in range(400)]
    rows["question"][3] = "long " * 100
    pq.write_table(pa.table(rows), tiny / "data/train-00000-of-00001.parquet")
    for split, count in (("train", 300), ("test", 5)):
        told = [f"It is 2 * {i} = <<2*{i}={2 * i}>>{2 * i}.\n#### 1,{i:03}" for i in range(count)]
        asked = [f"How much is {split} {i}?" for i in range(count)]
        pq.write_table(
            pa.table({"question": asked, "answer": told}), gsm / f"main/{split}-0.parquet"
        )
    monkeypatch.setattr(gsm8k, "TINY", str(tiny))
    monkeypatch.setattr(gsm8k, "GSM", str(gsm))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    datasets.disable_progress_bars()
    return tmp_path


def _paper(name: str, folder: Path) -> Prepared:
    options = DataOptions(
        preset="paper", cache=folder, specials=SPECIALS, tokenizer=_tokenizer(folder)
    )
    return tasks.get(name).prepare(options)


def test_tinygsm_as_published_is_tested_on_gsm8k(published: Path) -> None:
    made = _paper("tinygsm", published)
    sizes = made.facts["sizes"]
    assert sizes["train"] + sizes["validation"] == 399
    assert 5 <= sizes["validation"] <= 45
    assert sizes["test"] == 5
    (reason,) = made.facts["dropped"]
    assert reason.startswith("a prompt of more than 256 tokens")
    decode = made.tokenizer.decode
    assert decode(made.test[1].prompt) == "How much is test 1?\n"
    assert decode(made.test[1].body) == "1001"
    assert decode(made.train[0].prompt).startswith("What is ")
    assert decode(made.train[0].body).startswith("def simple_math_problem")
    assert (made.body, made.prompt, made.loss) == (256, 256, "validation")
    metrics = tasks.get("tinygsm").metrics(made)
    program = made.tokenizer.encode("def simple_math_problem():\n    return 1001")
    for i in range(5):
        metrics.update(Answer(program, made.test[i], made.tokenizer))
    assert float(metrics.compute()["solved"]) == pytest.approx(1 / 5)


def test_gsm8k_as_published(published: Path) -> None:
    made = _paper("gsm8k", published)
    assert made.facts["sizes"]["train"] + made.facts["sizes"]["validation"] == 300
    assert made.tokenizer.decode(made.test[3].body) == "It is 2 * 3 = 6.\n#### 1,003"
    assert made.loss == "test"


def test_without_the_hub_one_error_names_the_ways_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets

    monkeypatch.setattr(hub, "_reachable", lambda: False)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    with pytest.raises(RunError, match=r"TinyGSM/TinyGSM is not on this machine") as raised:
        _paper("tinygsm", tmp_path)
    assert "--preset quick" in str(raised.value)
