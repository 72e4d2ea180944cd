"""Numbers without end, wherever a user can give one: a line that says what is allowed, and soon."""

from dataclasses import replace
from pathlib import Path
from time import process_time
from types import SimpleNamespace
from typing import Any, get_args

import pytest
import torch
from attrs import fields
from published import edit, package, published, reference
from tokenizers import Tokenizer as Backend
from tokenizers import models, pre_tokenizers, trainers

from xlm_runtime.config.config import SECTIONS
from xlm_runtime.config.settings import Setting, build, parse_sets
from xlm_runtime.data.files import choose, read
from xlm_runtime.model import memory
from xlm_runtime.model.published import find, size_of
from xlm_runtime.packages import package as packages
from xlm_runtime.plug import ModelSize, Param, Vocabulary
from xlm_runtime.run.command import Command, check
from xlm_runtime.system import bounds
from xlm_runtime.system.errors import UsageError
from xlm_runtime.system.strict import Range, short
from xlm_runtime.tasks.base.tables import listed
from xlm_runtime.tasks.base.text import tokenizer_for
from xlm_runtime.tokenizers import Tokenizer, bpe, pretrained

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/robust.md"
NINES = "9" * 30


@pytest.fixture(scope="module")
def family() -> Any:
    return packages.load(Path(__file__).parent / "toy_family").family


def ranges() -> dict[str, Range]:
    """The range of every setting that is a number."""
    found = {f"{name}.{f.name}": f.type for name, one in SECTIONS.items() for f in fields(one)}
    return {
        path: get_args(kind)[1] for path, kind in found.items() if hasattr(kind, "__metadata__")
    }


def test_every_number_of_the_configuration_has_two_ends_and_a_reason() -> None:
    kinds = [f.type for one in SECTIONS.values() for f in fields(one)]
    assert not [kind for kind in kinds if kind in (int, float)]
    for path, one in ranges().items():
        assert one.why or (one.low, one.high) == (0, 1), path


@pytest.mark.parametrize(
    "text",
    [
        "train.workers=100000", "train.seed=18446744073709551616", f"train.steps={NINES}",
        f"train.batch={NINES}", f"train.learning_rate={'9' * 400}", f"train.steps={'9' * 400}",
        "train.learning_rate=1e-300", "model.width=1000000000", "model.rotary_base=1e-300",
        "model.dropout=1", "decoder.temperature=1e-39", "decoder.temperature=1e39",
        f"decoder.temperature={'9' * 400}", "data.block=1000000000", "train.devices=1000",
        "eval.draws=10000000", f"generate.count={NINES}", f"train.clip={'9' * 5000}",
    ],
)  # fmt: skip
def test_a_number_out_of_bounds_is_refused_in_one_short_line(family: Any, text: str) -> None:
    path = text.partition("=")[0]
    with pytest.raises(UsageError, match=rf"{path}: must be .*at most .*, got") as error:
        build(family, [], parse_sets([text]))
    assert len(str(error.value)) < 400
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", ["Count", "Chance", "Scale"])
@pytest.mark.parametrize("value", [1e-39, 1e-12, -1.0, 1e39])
def test_params_of_every_kind_have_two_ends(family: Any, kind: Any, value: float) -> None:
    """A Chance, too, can be a temperature."""
    params = {"default": (Param("p", kind, 0),)}
    made = replace(family, params=params)
    with pytest.raises(UsageError, match=r"decoder\.p: (must be|expected)"):
        build(made, [], [Setting("decoder.p", value, "--set")])


@pytest.mark.parametrize("path", ["generate.suppress", "generate.stop", "eval.metrics"])
@pytest.mark.parametrize("depth", [50_000, 100_001])
def test_lists_within_lists_are_refused(family: Any, path: str, depth: int) -> None:
    with pytest.raises(UsageError, match=r"list within a list|characters, and at most") as error:
        build(family, [], parse_sets([f"{path}={'[' * depth}"]))
    assert len(str(error.value)) < 400


@pytest.mark.parametrize(
    ("option", "why"),
    [
        ({"name": "a" * 300}, "--name a{40}...: 300 bytes"),
        ({"seed": 2**64}, "--seed 18446744073709551616: must be"),
    ],
)
def test_options_have_bounds(option: dict[str, Any], why: str) -> None:
    given: dict[str, Any] = dict.fromkeys(f.name for f in fields(Command))
    given |= {"job": "all", "preset": "quick", "package": Path(), **option}
    with pytest.raises(UsageError, match=why):
        check(Command(**given))


# Memory


def test_a_network_that_does_not_fit_is_refused_before_it_is_made() -> None:
    family = packages.load(ROOT / "examples/mlm").family
    size = ModelSize(layers=20, width=65536, heads=1024)
    vocab = Vocabulary(100, {"pad": 0, "mask": 1, "bos": 2, "eos": 3})

    def make() -> Any:
        return family.network(vocab, vocab.allowed(()), size)

    with pytest.raises(UsageError, match=r"1\.0 trillion weights need 4\.1 TB, and this"):
        memory.check_network(size, 100, torch.float32, make)


def test_training_needs_more_than_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "capacity", lambda: 10**10)
    memory.check(2**29, 4 * 2**29, "generation")
    with pytest.raises(UsageError, match=r"training: 536\.9 million weights need 10\.7 GB"):
        memory.check(2**29, 20 * 2**29, "training")


# Files


def test_what_is_no_file_is_not_read() -> None:
    with pytest.raises(UsageError, match="--data /dev/zero: neither file nor folder"):
        read(Path("/dev/zero"))


def test_a_line_without_end_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xlm_runtime.data.formats._lines.__defaults__", (100,))
    (tmp_path / "a.txt").write_text("a" * 101 + "\n")
    with pytest.raises(UsageError, match=r"line 1 has more than 100 bytes"):
        read(tmp_path / "a.txt")
    (tmp_path / "a.txt").write_text("a" * 99 + "\n")
    read(tmp_path / "a.txt")


def test_a_deep_list_takes_no_time_that_doubles_with_each_level() -> None:
    deep: Any = 7
    for _ in range(400):
        deep = [deep]
    assert listed(deep) == "7"
    assert listed([[1, 2], ["a", [3]]]) == "1 2 a 3"
    assert listed([[1, None]]) == [[1, None]]


def test_columns_play_one_role_each(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("prompt,target\na,b\n")
    table = read(tmp_path / "a.csv")
    roles = ("prompt", "target")
    assert choose(roles, {"prompt": "target", "target": "prompt"}, table) == ["target", "prompt"]
    with pytest.raises(UsageError, match="column 'target' would be both prompt and target"):
        choose(roles, {"prompt": "target"}, table)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"vocab_size": 10**12}, "vocab_size must be at least 1 and at most 1,000,000"),
        ({"num_hidden_layers": 10**9}, "the layers that its config.json gives must be"),
        ({"num_hidden_layers": "2"}, "the layers .* expected a whole number, got '2'"),
        ({"hidden_size": 10**9, "head_dim": None}, "the width that its config.json gives must be"),
        ({"num_attention_heads": 0}, "does not fit the backbone"),
        ({"intermediate_size": 10**12}, "the inner that its config.json gives must be"),
        ({"rope_parameters": {"rope_theta": 1e-300}}, "the rotary_base that .* must be"),
        ({"rope_parameters": {"rope_theta": 10**400}}, "does not fit the backbone"),
    ],
)
def test_published_sizes_have_bounds(
    changes: dict[str, Any], why: str, weights: Path, qwen: Any
) -> None:
    edit(weights / "config.json", **changes)
    with pytest.raises(UsageError, match=why):
        size_of(qwen, find(str(weights), weights=False).config, "here")


@pytest.fixture(scope="module")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return packages.load(package(tmp_path_factory.mktemp("package"))).family


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return published(tmp_path / "weights", reference())


# Tokenizers


@pytest.mark.parametrize("size", ["1000000000000", "9" * 5000])
def test_a_vocabulary_has_a_size(size: str) -> None:
    source: Any = SimpleNamespace()
    options: Any = SimpleNamespace(kept=None)
    with pytest.raises(UsageError, match="must be at least 1 and at most 1,000,000"):
        tokenizer_for(f"bpe:{size}", {}, source, str, options)
    with pytest.raises(UsageError, match="must be at least 1 and at most 1,000,000"):
        bpe([], int(size[:100]), ())


def test_an_id_that_is_far_off_is_refused() -> None:
    backend = Backend(models.WordLevel({"a": 0, "b": 10**9}, unk_token="a"))
    with pytest.raises(UsageError, match="gives 'b' the id 1,000,000,000, so that it has"):
        Tokenizer(backend, {})


def test_a_tokenizer_file_of_lists_within_lists_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.json"
    file.write_text("[" * 100_000)
    with pytest.raises(UsageError, match="it is nested too deeply"):
        pretrained(str(file), ())


def test_words_of_any_length_train_in_time_that_grows_with_them() -> None:
    def spent(length: int) -> float:
        word = "".join("ACGT"[(i * i * 7 + i // 3) % 4] for i in range(length))
        began = process_time()
        bpe([word], 300, ())
        return process_time() - began

    spent(1000)
    assert spent(160_000) < 20 * max(spent(20_000), 0.02)  # 64 times, where time is squared


def test_ordinary_texts_train_the_tokenizer_that_the_library_does() -> None:
    texts = (ROOT / "docs/using.md").read_text(encoding="utf-8").split("\n")
    plain = Backend(models.BPE())
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    plain.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=600, initial_alphabet=alphabet, show_progress=False)
    )
    made = bpe(texts, 600, ())
    assert [made.encode(text) for text in texts] == [plain.encode(text).ids for text in texts]


# The page


def test_the_page_tells_all_bounds(request: pytest.FixtureRequest) -> None:
    begin, end = "<!-- bounds -->\n", "<!-- end of bounds -->"
    page = PAGE.read_text(encoding="utf-8")
    head, tail = page.partition(begin)[0], page.partition(end)[2]
    made = f"{head}{begin}{table()}{end}{tail}"
    if request.config.getoption("--update-golden"):
        PAGE.write_text(made, encoding="utf-8")
        page = made
    assert page == made, "`pytest --update-golden` writes it"


def table() -> str:
    """A row for each setting and each type of params."""
    rows = {
        f"params of type `{kind}`": get_args(getattr(bounds, kind))[1]
        for kind in ("Count", "Size", "Chance", "Scale")
    }
    rows |= {f"`{path}`": one for path, one in ranges().items()}
    rows |= {
        "ids of a tokenizer, `bpe:N`, `vocab_size` of published weights": bounds.VOCABULARY,
    }
    lines = ["| number | allowed | why |", "| --- | --- | --- |"]
    return (
        "\n".join([*lines, *(f"| {name} | {one} | {one.why} |" for name, one in rows.items())])
        + "\n"
    )


def test_values_are_shown_short() -> None:
    assert short(7) == "7"
    assert short("fast") == "'fast'"
    assert short("a" * 99) == f"'{'a' * 39}..."
    assert short(10**400) == "a number of more than 40 digits"
