"""Training from the weights of others: what is loaded, what is not, and what is refused."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from xlm_runtime.config.settings import build, parse_sets
from xlm_runtime.model.initial import rows, translated
from xlm_runtime.packages import package
from xlm_runtime.run.folder.runs import Run
from xlm_runtime.run.initial import find
from xlm_runtime.run.main import run
from xlm_runtime.system.errors import UsageError
from xlm_runtime.tokenizers import load, words

EXAMPLES = Path(__file__).parents[2] / "examples"
SMALL = (
    "model.layers=2", "model.width=16", "model.heads=2", "train.steps=3", "train.batch=4",
    "train.validate_examples=4", "generate.samples=0",
)  # fmt: skip


@pytest.fixture
def train(tmp_path, monkeypatch):
    """Trains a shipped family on star graphs, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def begin(family, *sets, job="train", **more):
        return run(EXAMPLES / family, "star_easy", job=job, sets=(*SMALL, *sets), **more)

    return begin


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of mlm and one of arlm, trained once."""
    home = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        for family in ("mlm", "arlm"):
            assert run(EXAMPLES / family, "star_easy", job="train", sets=SMALL) == 0
    return home / "runs"


def weights(folder, step=3, name="raw"):
    """The weights of a run."""
    return load_file(Path(folder) / f"checkpoints/step-{step:08d}/{name}.safetensors")


def begin_at_once(sets=()):
    """Settings under which a step hardly changes a weight."""
    return ("train.learning_rate=1e-9", "train.weight_decay=0", "train.ema=0", *sets)


def test_a_run_starts_from_another_family(train, trained, capsys):
    """Everything that mdlm shares with mlm is that of mlm; the gates are its own."""
    source = trained / "mlm/star_easy/quick-seed1"
    assert train("mdlm", *begin_at_once(), init=str(source)) == 0
    home = Path("runs/mdlm/star_easy/quick-seed1")
    theirs, ours = weights(source, name="ema"), weights(home)
    gates = {name for name in ours if "gate" in name}
    assert {*ours} - gates == {*theirs}
    for name, weight in theirs.items():
        assert torch.allclose(ours[name], weight, atol=1e-6), name
    assert all(torch.allclose(ours[name], torch.ones(16), atol=1e-6) for name in gates)
    said = capsys.readouterr().out
    assert "25 of 29 tensors" in said
    assert "initialised afresh: backbone.blocks.0.gate_1" in said
    about = Run(home).facts["began_with"]
    assert {*about["drawn"]} == gates
    assert about["loaded"]["to_token.weight"] == "to_token.weight"
    assert (about["unused"], about["tokens"]["drawn"]) == ([], [])
    assert Run(home).config.model.init == str(source)


def test_tokens_are_compared_by_their_names(train, trained):
    """arlm has no mask: its ids are others, and the row of the mask is drawn."""
    source = trained / "arlm/star_easy/quick-seed1"
    assert train("bd3lm", *begin_at_once(), init=str(source)) == 0
    home = Path("runs/bd3lm/star_easy/quick-seed1")
    about = Run(home).facts["began_with"]
    assert about["tokens"]["drawn"] == ["<mask>"]
    theirs, ours = weights(source, name="ema"), weights(home)
    ids = [load(folder / "tokenizer").backend.get_vocab() for folder in (source, home)]
    assert len(ids[1]) == len(ids[0]) + 1
    assert any(ids[0][token] != ids[1][token] for token in ids[0])
    for token, row in ids[0].items():
        for name in ("backbone.embed.weight", "to_token.weight", "to_token.bias"):
            assert torch.allclose(ours[name][ids[1][token]], theirs[name][row], atol=1e-6)
    mask = ours["backbone.embed.weight"][ids[1]["<mask>"]]
    assert 0.1 < mask.std() < 1


def test_roles_and_spelling():
    """Roles are compared first; a body token that is special elsewhere is no match."""
    ours = words(["a", "b", "<cls>"], ("pad", "mask"))
    theirs = words(["b", "c", "a"], ("mask", "pad", "cls"))
    there = theirs.backend.get_vocab()
    found = dict(zip(sorted(ours.backend.get_vocab(), key=ours.backend.get_vocab().get),
                     rows(ours, theirs, len(there)), strict=True))  # fmt: skip
    assert found == {
        "<pad>": there["<pad>"], "<mask>": there["<mask>"], "a": there["a"], "b": there["b"],
        "<cls>": None,
    }  # fmt: skip


def test_a_resumed_run_does_not_load_again(train, trained, tmp_path, capsys):
    """It needs its source no more, ends as if it had never stopped, and keeps its record."""
    source = shutil.copytree(trained / "mlm/star_easy/quick-seed1", tmp_path / "source")
    long = ("train.steps=6", "train.checkpoint_every=2", "train.validate_every=2")
    assert train("mdlm", *long, init=str(source), name="whole") == 0
    whole = Path("runs/mdlm/star_easy/whole")
    again = shutil.copytree(whole, whole.parent / "again")
    index = again / "checkpoints/index.json"
    index.write_text(json.dumps({"last": 4, "best": 4, "loss": None, "seen": 16}))
    shutil.rmtree(again / "checkpoints/step-00000006")
    shutil.rmtree(source)
    capsys.readouterr()
    assert train("mdlm", *long, init=str(source), name="again") == 0
    said = capsys.readouterr().out
    assert "continuing after step 4" in said
    assert "weights from" not in said
    for name, weight in weights(whole, 6).items():
        assert torch.equal(weights(again, 6)[name], weight)
    assert train("mdlm", *long, init=str(source), name="third") == 2
    assert "there is nothing of that name" in capsys.readouterr().err
    assert not (whole.parent / "third").exists()


def test_other_weights_of_the_same_name_are_another_run(train, trained, tmp_path, capsys):
    source = shutil.copytree(trained / "mlm/star_easy/quick-seed1", tmp_path / "source")
    file = source / "checkpoints/step-00000003/ema.safetensors"
    copy = tmp_path / "first.safetensors"
    shutil.copy(file, copy)
    assert train("mdlm", init=str(copy)) == 0
    save_file({k: v + 1 for k, v in load_file(copy).items()}, copy)
    assert train("mdlm", init=str(copy)) == 0
    assert "its init was another" in capsys.readouterr().out
    assert len([*Path("runs/mdlm/star_easy").glob("quick-seed1-init_*/run.json")]) == 1
    longer = ("train.steps=6",)
    assert train("mdlm", *longer, init=str(copy), name="quick-seed1", force=True) == 2
    assert "has weights of its own" in capsys.readouterr().err


def test_a_map_of_names(train, trained, tmp_path, capsys):
    """A file of safetensors under other names, with whole modules, layers and one to leave out."""
    theirs = weights(trained / "mlm/star_easy/quick-seed1", name="ema")
    other = {
        name.replace("backbone.blocks", "model.h").replace("backbone.embed", "wte"): weight
        for name, weight in theirs.items()
    }
    save_file(other, tmp_path / "model.safetensors")
    names = {"backbone.embed": "wte", "to_token": None}
    layer = ("norm_1", "norm_2", "attention.qkv", "attention.out", "feed.0", "feed.2")
    names |= {f"backbone.blocks.*.{part}": f"model.h.*.{part}" for part in layer}
    table = tmp_path / "map.json"
    table.write_text(json.dumps(names))
    same = ("model.init_map=" + str(table),)
    assert train("mlm", *begin_at_once(same), init=str(tmp_path)) == 0
    said = capsys.readouterr().out
    assert "no tokenizer is beside these weights" in said
    about = Run(Path("runs/mlm/star_easy/quick-seed1")).facts["began_with"]
    assert about["drawn"] == ["to_token.weight", "to_token.bias"]
    assert about["unused"] == ["to_token.bias", "to_token.weight"]
    assert about["loaded"]["backbone.blocks.1.feed.2.bias"] == "model.h.1.feed.2.bias"
    ours = weights("runs/mlm/star_easy/quick-seed1")
    assert torch.allclose(ours["backbone.embed.weight"], other["wte.weight"], atol=1e-6)


@pytest.mark.parametrize(("name", "names", "wanted"), [
    ("a.3.b.weight", {"a.*.b": "x.*.y"}, "x.3.y.weight"),
    ("a.b.weight", {"a.b.weight": "gamma"}, "gamma"),
    ("a.b.weight", {"a.b": None}, None),
    ("a.c.weight", {"a.b": "y"}, "a.c.weight"),
    ("a.3.b.4.c", {"a.*.b.*.c": "*.*"}, "3.4"),
])  # fmt: skip
def test_names_are_translated(name, names, wanted):
    assert translated(name, names) == wanted


MISTAKES = {
    "nothing there": ({"init": "runs/no/such/run"}, 2, "run: there is nothing of"),
    "another width": ({"init": "{mlm}", "sets": ("model.width=32",)}, 2,
                      "write --set model.width=16"),
    "other heads, of the same shapes": ({"init": "{mlm}", "sets": ("model.heads=1",)}, 2,
                                        "was trained with model.heads=2, here 1"),
    "pickled code": ({"init": "{here}/weights.bin"}, 2, "pickled code, which is never executed"),
    "a folder without weights": ({"init": "{here}"}, 4, "has neither model.safetensors"),
    "a map alone": ({"init_map": "{here}/map.json"}, 2, "--init-map FILE maps names of --init"),
    "a map that is not there": ({"init": "{mlm}", "init_map": "none.json"}, 2,
                                "--init-map none.json: there is no such file"),
    "a map that is none": ({"init": "{mlm}", "init_map": "{here}/none.txt"}, 2, "is no JSON"),
    "a map of nothing": ({"init": "{mlm}", "init_map": "{here}/map.json"}, 2,
                         '"nowhere": the network has no such weight or module'),
    "a map to nothing": ({"init": "{mlm}", "init_map": "{here}/astray.json"}, 2,
                         '"to_token": "lm_head": the source has no lm_head.weight'),
    "a map of numbers": ({"init": "{mlm}", "init_map": "{here}/numbers.json"}, 2,
                         'is mapped to the name of one in the source'),
    "other names": ({"init": "{here}/strange.safetensors"}, 2,
                    "none of its 1 tensors has the name of a weight"),
    "another shape": ({"init": "{here}/short.safetensors"}, 4,
                      "to_token.bias is [3], and the network's to_token.bias [76]"),
    "not finite": ({"init": "{here}/nan.safetensors"}, 4, "are not finite"),
    "a job that does not train": ({"init": "{mlm}", "job": "eval"}, 2, "does not train"),
    "a checkpoint of another run": ({"ckpt": "{mlm}/checkpoints/step-00000003", "job": "all"}, 2,
                                    "write --init "),
    "training from another's checkpoint": (
        {"ckpt": "{mlm}/checkpoints/step-00000003", "name": "mine", "twice": True}, 2,
        "to start from its weights, write --init "),
}  # fmt: skip


@pytest.mark.parametrize("what", MISTAKES)
def test_what_is_refused_leaves_no_run(what, train, trained, tmp_path, capsys):
    asked, code, wanted = MISTAKES[what]
    asked, here = dict(asked), tmp_path / "files"
    here.mkdir()
    (here / "weights.bin").write_bytes(b"\x80")
    (here / "none.txt").write_text("to_token")
    for name, table in (("map", {"nowhere": "x"}), ("numbers", {"to_token": 1}),
                        ("astray", {"to_token": "lm_head"})):  # fmt: skip
        (here / f"{name}.json").write_text(json.dumps(table))
    save_file({"x": torch.ones(2)}, here / "strange.safetensors")
    save_file({"to_token.bias": torch.ones(3)}, here / "short.safetensors")
    save_file({"to_token.bias": torch.full((76,), torch.nan)}, here / "nan.safetensors")
    places = {"mlm": trained / "mlm/star_easy/quick-seed1", "here": here}
    if asked.pop("twice", False):
        assert train("mlm", name="mine") == 0
    sets = asked.pop("sets", ())
    asked = {key: value.format(**places) for key, value in asked.items()}
    before = {*Path("runs").rglob("*")}
    assert train("mlm", *sets, **asked) == code
    said = capsys.readouterr().err
    assert wanted in said
    assert "Traceback" not in said
    left = {*Path("runs").rglob("*")} - before
    assert not [file for file in left if file.name == "run.json"] or what == "not finite"


def test_first_weights_are_named_once():
    family = package.load(EXAMPLES / "dream").family
    both = build(family, [], parse_sets(["model.pretrained=a/b", "model.init=c"]))
    with pytest.raises(UsageError, match="both name first weights"):
        find(both, Path())
