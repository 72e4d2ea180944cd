"""Published weights at work: used as they are, gone on from, and asked from Python."""

import io
import json
import os
import shutil
import sys
from pathlib import Path

import pytest
import torch
from published import SPEC, TEXTS, edit, package, published, reference, tokenizer
from safetensors.torch import load_file
from tokenizers import pre_tokenizers

import xlm_runtime
from xlm_runtime import tokenizers
from xlm_runtime.config.settings import build, parse_sets
from xlm_runtime.model import generate
from xlm_runtime.model.model import make
from xlm_runtime.packages import package as packages
from xlm_runtime.run.folder.runs import Run
from xlm_runtime.run.main import run
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.tokenizers import Tokenizer
from xlm_runtime.use import main as commands
from xlm_runtime.use.loaded import Loaded
from xlm_runtime.use.options import Options

HERE = Path(__file__).parent
SPECIALS = ("pad", "mask", "bos", "eos")


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    return package(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    return tokenizer(published(folder, reference(vocab=320)))


@pytest.fixture
def start(monkeypatch, tmp_path, grown):
    """Runs the family with published weights in an empty folder."""
    monkeypatch.syspath_prepend(HERE)
    monkeypatch.chdir(tmp_path)

    def begin(*sets, job="all", task="chat_task:CHAT", family=grown, **more):
        quick = ("generate.samples=0", "generate.count=3", "eval.draws=1")
        return run(family, task, job=job, sets=(*quick, *sets), **more)

    return begin


def test_published_weights_are_used_without_training(start, source, capsys):
    for job in ("eval", "generate"):
        assert start(f"model.pretrained={source}", job=job) == 0
    said = capsys.readouterr().out
    assert f"published weights: {source}" in said
    assert "they are used as they are: this run has not been trained" in said
    home = Path("runs/grown/chat/quick-published")
    assert json.loads((home / "metrics.json").read_text())["examples"] == 8
    assert len((home / "predictions.jsonl").read_text().splitlines()) == 3
    model = Run(home).config.model
    assert (model.layers, model.width, model.heads, model.rotary_base) == (3, 32, 4, 1e6)
    assert start(f"model.pretrained={source}", "decoder.steps=1", job="generate") == 0


def test_training_goes_on_from_published_weights(start, source, capsys, tmp_path):
    there = shutil.copytree(source, tmp_path / "moved")
    sets = ("data.chat=true", "train.learning_rate=1e-9", "train.ema=0")
    assert start(f"model.pretrained={there}", *sets) == 0
    home = Path("runs/grown/chat/quick-seed1")
    trained = load_file(home / "checkpoints/step-00000004/raw.safetensors")
    first = reference(vocab=320).state_dict()["model.norm.weight"]
    assert torch.allclose(trained["backbone.norm.weight"], first, atol=1e-6)
    assert start(job="eval") == 0  # of the run, not of what it began with
    assert "evaluation of step-00000004" in capsys.readouterr().out
    shutil.rmtree(there)
    loaded = xlm_runtime.load(home)  # needs nothing but the run
    assert loaded.generate(["the cat"]) == loaded.generate(["the cat"])
    loaded.publish(tmp_path / "again")
    again = xlm_runtime.pretrained(home / "package", tmp_path / "again", body=6, chat=True)
    assert again.generate(["the cat", "a dog"], steps=2) == loaded.generate(
        ["the cat", "a dog"], steps=2
    )


@pytest.mark.parametrize("job", ["train", "eval"])
def test_weights_that_do_not_fit_leave_no_run(job, start, source, capsys, tmp_path):
    there = shutil.copytree(source, tmp_path / "spoilt")
    edit(there / "config.json", num_hidden_layers=2, layer_types=None)
    assert start(f"model.pretrained={there}", job=job) == 4
    assert "the network has no model.layers.2." in capsys.readouterr().err
    assert not list(Path("runs/grown/chat").glob("*"))


@pytest.mark.parametrize("fails", ["tokenizer", "last rename", "killed between the renames"])
def test_publishing_leaves_the_folder_that_is_there_whole_or_replaces_it(
    fails, grown, source, tmp_path, monkeypatch
):
    loaded, folder = xlm_runtime.pretrained(grown, source), tmp_path / "out"
    loaded.publish(folder)
    (folder / "README.md").write_text("mine")
    (folder / "model-00001-of-00002.safetensors").touch()  # of a larger model
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    rename = Path.rename

    def full(*_):
        raise OSError(28, "No space left on device")

    def refused(path, target):
        if path.name == ".out.new":
            if fails != "last rename":
                os._exit(9)
            full()
        return rename(path, target)

    with monkeypatch.context() as patch:
        if fails == "tokenizer":
            patch.setattr(Tokenizer, "save", full)
        patch.setattr(Path, "rename", refused)
        if fails.startswith("killed"):
            pid = os.fork()
            if not pid:
                loaded.publish(folder)
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
        else:
            with pytest.raises(RunError, match=r"out cannot be written: No space left on device"):
                loaded.publish(folder)
            assert [path.name for path in tmp_path.iterdir()] == ["out"]
            assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    loaded.publish(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    names = {path.name for path in folder.iterdir()}
    assert names == {*before} - {"model-00001-of-00002.safetensors"}
    assert (folder / "README.md").read_text() == "mine"


@pytest.mark.parametrize(("sets", "told"), [
    (["model.pretrained={0}", "model.layers=2"], "the published weights decide the size"),
    (["model.pretrained={0}/nothing"], "there is no such folder"),
    (["model.pretrained=published"], "names no published weights"),
    (["model.pretrained={0}", "model.dtype=int8"], "must be one of float32, bfloat16"),
])  # fmt: skip
def test_what_a_run_cannot_mean(start, source, capsys, tmp_path, sets, told):
    (tmp_path / "new").mkdir()
    family = package(tmp_path / "new", SPEC.replace('(pretrained = "someone/weights")', ""))
    assert start(*(s.format(source) for s in sets), job="eval", family=family) == 2
    assert told in capsys.readouterr().err


def test_what_the_spec_names(start, monkeypatch, source, capsys):
    asked = []
    monkeypatch.setattr(
        "xlm_runtime.data.hub.snapshot", lambda repo, files, instead: asked.append(repo) or source
    )
    assert start("model.pretrained=published", "model.dtype=bfloat16", job="generate") == 0
    assert asked == ["someone/weights"]
    home = Run(Path("runs/grown/chat/quick-published"))
    assert home.config.model.pretrained == "someone/weights"


def test_a_family_without_published_weights(start, source, capsys):
    assert start(
        f"model.pretrained={source}", job="eval", family=HERE / "toy_family",
        task="toy_task:REVERSE",
    ) == 2  # fmt: skip
    assert "the backbone of toy has no published weights" in capsys.readouterr().err


def test_tasks_that_have_no_use_for_it(start, source, capsys):
    assert start(f"model.pretrained={source}", job="eval", task="star_easy") == 2
    assert "neither data.tokenizer nor weights with one fit" in capsys.readouterr().err
    assert start("data.chat=true", job="prepare", task="lm1b") == 2
    assert "has no prompts to put into a chat" in capsys.readouterr().err


def test_no_chat_template(start, source, tmp_path, capsys):
    plain = shutil.copytree(source, tmp_path / "plain")
    (plain / "chat_template.jinja").unlink()
    assert start(f"model.pretrained={plain}", "data.chat=true", job="eval") == 2
    assert "has no chat template" in capsys.readouterr().err


def test_a_tokenizer_of_more_ids_than_rows(grown, tmp_path):
    small = tokenizer(published(tmp_path, reference(vocab=100)))
    with pytest.raises(UsageError, match="and the published embeddings have 100 rows"):
        xlm_runtime.pretrained(grown, small)


def test_weights_without_a_tokenizer(grown, tmp_path):
    bare = published(tmp_path, reference())
    with pytest.raises(UsageError, match="has no tokenizer: name one with data"):
        xlm_runtime.pretrained(grown, bare)


def test_a_repository_that_is_not_there(grown, monkeypatch):
    monkeypatch.setattr("xlm_runtime.data.hub._reachable", lambda: False)
    with pytest.raises(RunError, match="the model someone/weights is not on this machine"):
        xlm_runtime.pretrained(grown)


# Tokenizers as published


def test_roles_are_those_of_the_published_tokens(source):
    """Pad and eos share a token as declared; bos is found by its usual name; nothing is new."""
    made = tokenizers.pretrained(str(source), SPECIALS, sharing=True)
    ids = made.vocabulary.specials
    names = {role: made.backend.id_to_token(i) for role, i in ids.items()}
    assert names["pad"] == names["eos"] == "<|endoftext|>"
    assert (names["bos"], names["mask"]) == ("<|beginoftext|>", "<|mask|>")
    apart = tokenizers.pretrained(str(source), SPECIALS)
    assert apart.vocabulary["pad"] != apart.vocabulary["eos"]
    assert apart.vocabulary.size == made.vocabulary.size + 1
    file = tokenizers.pretrained(str(source / "tokenizer.json"), ("mask", "bos"))
    assert file.vocabulary["mask"] == ids["mask"]


def test_a_chat_is_the_template_around_the_message(source, tmp_path):
    made = tokenizers.pretrained(str(source), SPECIALS, sharing=True)
    ids = made.chat("the cat <|im_end|>")
    start, end = (made.backend.token_to_id(n) for n in ("<|im_start|>", "<|im_end|>"))
    assert [ids.count(start), ids.count(end)] == [2, 1]  # what the message says is text
    assert ids[0] == start
    text = made.backend.decode(ids, skip_special_tokens=False)
    assert text == "<|im_start|>user\nthe cat <|im_end|><|im_end|>\n<|im_start|>assistant\n"
    made.save(tmp_path)
    assert tokenizers.load(tmp_path).chat("the cat <|im_end|>") == ids
    for wrong in ("{{ nothing.at.all }}", "{{ messages[0].content * 2 }}", "hello", "{{"):
        bad = tokenizers.Tokenizer(made.backend, made.vocabulary.specials, None, wrong)
        with pytest.raises(UsageError, match="template"):
            bad.chat("the cat")


def test_files_that_name_code_of_their_own_are_read_without_it(source, tmp_path):
    """A byte-level BPE in vocab.json and merges.txt, under a class that is not known."""
    state = json.loads((source / "tokenizer.json").read_text())
    (tmp_path / "vocab.json").write_text(json.dumps(state["model"]["vocab"]))
    pairs = [m if isinstance(m, str) else " ".join(m) for m in state["model"]["merges"]]
    (tmp_path / "merges.txt").write_text("\n".join(["#version: 0.2", *pairs]))
    added = {str(t["id"]): {k: v for k, v in t.items() if k != "id"} for t in state["added_tokens"]}
    config = {
        "tokenizer_class": "OwnTokenizer", "added_tokens_decoder": added,
        "auto_map": {"AutoTokenizer": ["own.OwnTokenizer", None]},
        "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>", "mask_token": "<|mask|>",
    }  # fmt: skip
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    made = tokenizers.pretrained(str(tmp_path), SPECIALS, sharing=True)
    wanted = tokenizers.pretrained(str(source), SPECIALS, sharing=True)
    digits = [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(False)]
    wanted = Tokenizer(wanted.backend, wanted.vocabulary.specials)
    wanted.backend.pre_tokenizer = pre_tokenizers.Sequence(digits)  # as Qwen2 divides texts
    assert made.vocabulary == wanted.vocabulary
    for text in ("the cat sat on the mat 0123", "über\n"):
        assert made.encode(text) == wanted.encode(text)
        assert made.decode(made.encode(text)) == text


def test_what_a_run_publishes_can_be_read_back(grown, tmp_path):
    """Its tokenizer is no Qwen2's, as transformers believes by the config beside it."""
    family = packages.load(grown).family
    tokenizer = tokenizers.bpe(TEXTS, 290, family.specials)
    config = build(family, [], parse_sets(["model.layers=1", "model.width=32", "model.heads=2"]))
    model = make(family, tokenizer.vocabulary, "text", 9, config)
    Loaded(model, tokenizer, config, 0, [5]).publish(tmp_path)
    again = xlm_runtime.pretrained(grown, tmp_path, prompt=0, body=9)
    assert again.tokenizer.fingerprint == tokenizer.fingerprint
    assert again.model.vocabulary == model.vocabulary
    for text in ("the cat  sat\n 0123", "</s> <mask>"):
        assert again.tokenizer.encode(text) == tokenizer.encode(text)


# Stop strings


def test_texts_are_cut_at_the_first_stop_string():
    made = tokenizers.bpe(TEXTS, 290, ("pad", "eos"))
    ids = made.encode("the cat\n\nQ: the dog")
    assert made.decode(made.until(ids, ["Q:", "\n\n"])) == "the cat"
    assert made.until(ids, ["nowhere"]) == ids
    assert made.until(ids, ["the"]) == []
    inside = made.until(ids, ["at\n"])  # begins within a token, or at its end
    assert "the cat".startswith(made.decode(inside))
    assert generate.ending(made, ()) is None
    over = generate.ending(made, ["\n\n"])
    assert over(ids)
    assert not over(made.encode("the cat\n"))
    assert not over([*made.encode("the cat"), made.vocabulary["eos"], *made.encode("\n\n")])


def test_a_run_names_stop_strings(start, source, capsys):
    sets = (f"model.pretrained={source}", "generate.count=6")
    home = Path("runs/grown/chat/quick-published")

    def made(name, *more):
        assert start(*sets, *more, job="generate") == 0
        return [json.loads(x)["prediction"] for x in (home / name).read_text().splitlines()]

    whole = made("predictions.jsonl")
    letter = next(text for text in whole if text)[0]
    cut = made("predictions-2.jsonl", f"generate.stop={json.dumps([letter, 'never'])}")
    assert cut == [text.partition(letter)[0] for text in whole]
    assert cut != whole
    capsys.readouterr()
    for wrong in ('["a', "[1]", '[""]'):
        assert start(*sets, f"generate.stop={wrong}", job="generate") == 2
        assert "generate.stop=" in capsys.readouterr().err
    gone = made("predictions-3.jsonl", f"generate.suppress={json.dumps(['e'])}")
    assert len(gone) == 6
    assert start(*sets, "generate.suppress=never", job="generate") == 2
    assert "the tokenizer has no token 'never'" in capsys.readouterr().err
    loaded = xlm_runtime.pretrained("runs/grown/chat/quick-published/package", source, body=6)
    (first,) = loaded.generate(["the cat"])
    (again,) = loaded.generate(["the cat"], stop=[first[:1] or "x"])
    assert again == ""


# Commands that use published weights without a run


def asked(grown, source, **more):
    how = {"what": str(grown), "weights": str(source), "prompts": ("the cat", "a dog")}
    sets = ("data.block=6", "data.prompt=40", "decoder.steps=2")
    return Options(**{**how, "sets": sets, **more})


def test_texts_of_published_weights(grown, source, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    loaded = xlm_runtime.pretrained(grown, source, body=6, prompt=40)
    wanted = loaded.generate(["the cat", "a dog"], steps=2)
    for _ in range(2):
        assert commands.generate(asked(grown, source, out=Path("out.jsonl"))) == 0
    rows = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert [row["prediction"] for row in rows] == wanted
    assert "2 of 2 prompts are in out.jsonl already" in capsys.readouterr().err
    about = json.loads(Path("out.jsonl.about.json").read_text())
    assert {"package", "weights", "settings", "prompts"} == {*about["of"]}


def test_a_chat_with_published_weights_is_in_their_template(grown, source, monkeypatch, capsys):
    text = "the cat\nthe dog\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    sets = ("data.block=6", "data.prompt=60", "decoder.steps=2")
    assert commands.chat(asked(grown, source, prompts=(), sets=sets)) == 0
    printed = capsys.readouterr()
    loaded = xlm_runtime.pretrained(grown, source, body=6, prompt=60, chat=True)
    first = loaded.generate("the cat", steps=2)[0]
    assert printed.out.startswith(f"{first}\n")
    assert "a conversation" in printed.err


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"what": "nothing"}, "nothing is no package, which weights need"),
        ({"sets": ("data.block=0",)}, "--set data.block=0: must be at least 1"),
        ({"sets": ("model.dtype=int8",)}, "--set model.dtype=int8: must be one of float32"),
        ({"sets": ("train.steps=3",)}, "with --weights also data.prompt, data.block"),
        ({"ckpt": "last"}, "leave it out with --weights"),
        ({"weights": "nobody-here"}, "nobody-here"),
    ],
)
def test_mistakes_with_published_weights(grown, source, more, why, capsys, monkeypatch):
    assert commands.generate(asked(grown, source, **more)) in (2, 4)
    assert why in capsys.readouterr().err
