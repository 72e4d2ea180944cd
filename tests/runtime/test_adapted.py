"""Architectures of transformers under our attention, against the library's own answers."""

import json
import shutil
from pathlib import Path

import pytest
import torch
import transformers
from architectures import CONFIGS, LENGTH, SPECS, VOCAB, built, rows
from published import edit, tokenizer
from safetensors.torch import load_file, save_file

import xlm_runtime
from xlm_runtime.config.settings import build, parse_sets
from xlm_runtime.model.model import make, pretrained
from xlm_runtime.model.published import find
from xlm_runtime.packages import package as packages
from xlm_runtime.plug import Vocabulary
from xlm_runtime.plug.adapted import DECODERS, ENCODERS
from xlm_runtime.run.folder.runs import Run
from xlm_runtime.run.main import run
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.tokenizers import words
from xlm_runtime.verify.bench import Settings
from xlm_runtime.verify.main import verify

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def families(tmp_path_factory):
    home = tmp_path_factory.mktemp("families")
    return {kind: packages.load(built(home, kind)).family for kind in SPECS}


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """For each architecture the library's own network, and the folder of its weights."""
    made = {}
    for kind, config in CONFIGS.items():
        torch.manual_seed(0)
        name = "AutoModelForCausalLM" if kind in DECODERS else "AutoModelForMaskedLM"
        net = getattr(transformers, name).from_config(config).eval()
        with torch.no_grad():
            for weight in net.parameters():
                weight.add_(0.2 * torch.randn_like(weight))
        folder = tmp_path_factory.mktemp(kind)
        net.save_pretrained(folder)
        if kind == "esm":  # off in ours: see plug.adapted
            net.esm.embeddings.token_dropout = False
        made[kind] = net, folder
    return made


def network(family, folder, size=VOCAB, *sets):
    """Our network with the weights of a folder."""
    return pretrained_model(family, folder, *sets, size=size).network.eval()


def pretrained_model(family, folder, *sets, size=VOCAB):
    """Our model with the weights of a folder, as training takes it."""
    specials = {"pad": 0, "mask": 1, "bos": 2, "eos": 3, "cls": 4}
    config = build(family, [], parse_sets([f"model.pretrained={folder}", *sets]))
    layout = "text" if "text" in family.layouts else next(iter(family.layouts))
    parts = (family, Vocabulary(size, specials), layout, 8, config)
    return pretrained(*parts, find(str(folder), weights=True))


def answers(net, hidden):
    """The logits of all places, forbidden ids included."""
    return net.to_token(hidden)


def near(ours, theirs):
    torch.testing.assert_close(ours, theirs, atol=2e-5, rtol=1e-4)


@pytest.mark.many
@pytest.mark.parametrize("kind", DECODERS)
@torch.no_grad()
def test_causal_attention_is_that_of_the_library(kind, families, sources):
    theirs, folder = sources[kind]
    net, ids = network(families["causal"], folder), rows()
    near(answers(net, net.trunk(ids, None)), theirs(input_ids=ids).logits)


@pytest.mark.parametrize("kind", CONFIGS)
@torch.no_grad()
def test_full_attention_is_full(kind, families, sources):
    """Equal to the library's under a mask of ones; the last token changes the first's answer."""
    theirs, folder = sources[kind]
    net, ids = network(families["full"], folder), rows()
    ours = answers(net, net.trunk(ids, None))
    if kind in ENCODERS:
        wanted = theirs(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
    else:
        seen = torch.ones(2, 1, LENGTH, LENGTH, dtype=torch.bool)
        wanted = theirs(input_ids=ids, attention_mask=seen).logits
        assert not torch.allclose(wanted, theirs(input_ids=ids).logits, atol=1e-3)
    near(ours, wanted)
    other = ids.clone()
    other[:, -1] = (ids[:, -1] - 4) % 30 + 5
    assert (answers(net, net.trunk(other, None)) - ours)[:, 0].abs().max() > 1e-4


@pytest.mark.parametrize("kind", CONFIGS)
@pytest.mark.parametrize("attention", ["full", "causal"])
@torch.no_grad()
def test_padding_is_invisible(kind, attention, families, sources):
    net, ids = network(families[attention], sources[kind][1]), rows()
    alone = net.trunk(ids, None)
    pad = torch.zeros(2, 3, dtype=torch.long)
    for padded, place in (([pad, ids], slice(3, None)), ([ids, pad], slice(LENGTH))):
        row = torch.cat(padded, 1)
        attend = torch.zeros(row.shape, dtype=torch.bool)
        attend[:, place] = True
        near(net.trunk(row, attend)[:, place], alone)


@pytest.mark.parametrize("kind", CONFIGS)
@pytest.mark.parametrize("attention", ["full", "causal"])
@torch.no_grad()
def test_documents_of_a_row_are_apart(kind, attention, families, sources):
    net, ids = network(families[attention], sources[kind][1]), rows()
    document = torch.tensor([[1] * 5 + [2] * 7] * 2)
    both = net.trunk(ids, document)
    near(both[:, :5], net.trunk(ids[:, :5], None))
    near(both[:, 5:], net.trunk(ids[:, 5:], None))


@pytest.mark.parametrize("kind", CONFIGS)
@torch.no_grad()
def test_a_block_sees_itself_as_noised_and_those_before_as_clean(kind, families, sources):
    """Each block is compared with the library's answer to the clean tokens and that block."""
    theirs, folder = sources[kind]
    net, clean, noised = network(families["blockwise"], folder), rows(), rows(seed=2)
    block = torch.tensor([[0] * 4 + [1] * 4 + [2] * 4] * 2)
    ours = answers(net, net.trunk(noised, None, block, clean))
    for number in range(3) if kind != "esm" else ():  # which takes no such mask
        end = 4 * (number + 1)
        row = torch.cat([clean[:, : end - 4], noised[:, end - 4 : end]], 1)
        seen = (block[:, None, :end] <= block[:, :end, None])[:, None]
        if kind == "modernbert":
            far = (torch.arange(end)[:, None] - torch.arange(end)).abs() > 3
            seen = {"full_attention": seen, "sliding_attention": seen & ~far}
        wanted = theirs(input_ids=row, attention_mask=seen).logits
        near(ours[:, end - 4 : end], wanted[:, end - 4 :])
    for changed, where in ((noised, (False, True, False)), (clean, (False, False, True))):
        other = changed.clone()
        other[:, 4:8] = (changed[:, 4:8] - 4) % 30 + 5
        streams = (other, clean) if changed is noised else (noised, other)
        moved = answers(net, net.trunk(streams[0], None, block, streams[1])) - ours
        found = [moved[:, 4 * n : 4 * n + 4].abs().max() > 1e-4 for n in range(3)]
        assert tuple(map(bool, found)) == where
    last = net.trunk(noised, None, torch.zeros_like(block), clean)
    full = network(families["full"], folder)
    near(last, full.trunk(noised, None))  # one block is the whole row


@pytest.mark.parametrize("kind", DECODERS)
@torch.no_grad()
def test_keys_and_values_of_a_prefix_are_kept(kind, families, sources):
    folder, ids = sources[kind][1], rows()
    attend = torch.ones(2, LENGTH, dtype=torch.bool)
    attend[0, :2] = False
    net = network(families["kept"], folder)
    whole = net.trunk(ids, attend)
    first, past = net.extend(ids[:, :7], attend[:, :7], ())
    second, _ = net.extend(ids[:, 7:], attend, past)
    near(torch.cat([first, second], 1)[attend], whole[attend])
    net, block = network(families["kept_blocks"], folder), torch.arange(LENGTH)[None] // 4
    block = block.expand(2, -1)
    whole = net.trunk(ids, attend, block, ids)
    first, past = net.extend(ids[:, :8], attend[:, :8], block[:, :8])
    second, _ = net.extend(ids[:, 8:], attend, block, past)
    near(torch.cat([first, second], 1)[attend], whole[attend])


def test_an_encoder_keeps_no_keys_and_values(families, sources):
    for kept in ("kept", "kept_blocks"):
        with pytest.raises(UsageError, match="bert keeps no keys and values"):
            network(families[kept], sources["bert"][1])


@pytest.mark.many
@pytest.mark.parametrize("kind", CONFIGS)
@torch.no_grad()
def test_what_is_published_is_what_was_read(kind, families, sources, tmp_path, capsys):
    """The library reads it back, and answers as before; so do we."""
    theirs, folder = sources[kind]
    home, path = shutil.copytree(folder, tmp_path / "in"), built(tmp_path, "full")
    labels = [str(number) for number in range(VOCAB - 5)]
    words(labels, ("pad", "mask", "bos", "eos", "cls")).save(home)
    loaded = xlm_runtime.pretrained(path, home, body=8)
    capsys.readouterr()
    loaded.publish(tmp_path / "out")
    warned = f"reads these weights as a causal {kind}, and this model sees more"
    assert (warned in capsys.readouterr().out) == (kind in DECODERS)
    again = type(theirs).from_pretrained(tmp_path / "out").eval()
    if kind == "esm":
        again.esm.embeddings.token_dropout = False
    ids = rows()
    near(again(input_ids=ids).logits, theirs(input_ids=ids).logits)
    ours = xlm_runtime.pretrained(path, tmp_path / "out", body=8).model.network
    near(ours.trunk(ids, None), loaded.model.network.trunk(ids, None))


@torch.no_grad()
def test_new_ids_get_rows(families, sources):
    """A mask that the tokenizer lacks is one row more, near the others."""
    folder = sources["qwen3"][1]
    net = network(families["full"], folder, VOCAB + 2)
    weight = net.to_token.weight
    assert weight.shape[0] == VOCAB + 2
    theirs = load_file(folder / "model.safetensors")["model.embed_tokens.weight"]
    assert torch.equal(weight[:VOCAB], theirs)
    assert weight is net.backbone.net.get_input_embeddings().weight
    assert 0.5 < weight[VOCAB:].std() / theirs.std() < 2
    with pytest.raises(UsageError, match="have 40 rows"):
        network(families["full"], folder, VOCAB + 6)


def test_precision(families, sources):
    """Weights are rounded, the frequencies of positions are not."""
    net = network(families["full"], sources["llama"][1], VOCAB, "model.dtype=bfloat16")
    assert {weight.dtype for weight in net.parameters()} == {torch.bfloat16}
    assert net.backbone.net.model.rotary_emb.inv_freq.dtype == torch.float32
    exact = network(families["full"], sources["llama"][1])
    with torch.no_grad():
        ids = rows()
        assert (net.trunk(ids, None).float() - exact.trunk(ids, None)).abs().max() < 0.5


def test_dropout_is_that_of_the_run(families, sources):
    net = network(families["full"], sources["bert"][1], VOCAB, "model.dropout=0.5").train()
    ids = rows()
    assert not torch.equal(net.trunk(ids, None), net.trunk(ids, None))
    fitted = pretrained_model(families["full"], sources["bert"][1], "model.dropout=0.5").network
    assert {module.training for module in fitted.modules()} == {True}  # as training takes it
    plain = network(families["full"], sources["bert"][1]).train()
    assert torch.equal(plain.trunk(ids, None), plain.trunk(ids, None))
    with pytest.raises(UsageError, match=r"llama has no such dropout, and model\.dropout=0\.5"):
        network(families["full"], sources["llama"][1], VOCAB, "model.dropout=0.5")


# What is refused


@pytest.fixture
def spoilt(sources, tmp_path):
    def copy(kind):
        return shutil.copytree(sources[kind][1], tmp_path / kind)

    return copy


@pytest.mark.parametrize(("kind", "changes", "told"), [
    ("llama", {"model_type": "mamba"}, "model_type is mamba, and supported are gpt2, llama"),
    ("qwen2", {"use_sliding_window": True, "sliding_window": 4, "max_window_layers": 0,
               "layer_types": None}, "is not supported"),
    ("bert", {"is_decoder": True}, "is_decoder is True, which is not supported"),
    ("esm", {"position_embedding_type": "absolute"}, "position_embedding_type is absolute"),
    ("llama", {"quantization_config": {"quant_method": "gptq"}}, "quantization_config is"),
    ("llama", {"hidden_size": "wide"}, "does not fit the backbone"),
    ("llama", {"hidden_size": 64}, r"is \[48, 32\], and the network has \[48, 64\]"),
])  # fmt: skip
def test_configs_that_do_not_fit(kind, changes, told, families, spoilt):
    folder = spoilt(kind)
    edit(folder / "config.json", **changes)
    with pytest.raises(RunError, match=told):
        network(families["full"], folder)


def test_weights_that_do_not_fit(families, spoilt, capsys):
    folder = spoilt("qwen3")
    file = folder / "model.safetensors"
    tensors = load_file(file)
    name = "model.layers.1.mlp.up_proj.weight"
    save_file(tensors | {name: torch.full_like(tensors[name], torch.nan)}, file, {"format": "pt"})
    with pytest.raises(RunError, match=f"numbers of {name} are not finite"):
        network(families["full"], folder)
    save_file(tensors | {"odd.weight": torch.ones(1)}, file, {"format": "pt"})
    network(families["full"], folder)
    assert "published, and not used: odd.weight" in capsys.readouterr().out
    del tensors[name]
    save_file(tensors, file, {"format": "pt"})
    with pytest.raises(RunError, match=f"{name} is missing"):
        network(families["full"], folder)
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(RunError, match="cannot be read as safetensors"):
        network(families["full"], folder)


def test_a_row_beyond_the_table_of_positions(families, sources):
    net = network(families["full"], sources["gpt2"][1])
    with pytest.raises(ValueError, match="a row has 70 tokens, and gpt2 has positions for 64"):
        net.trunk(rows(length=70), None)


# Runs


@pytest.fixture
def start(monkeypatch, tmp_path, sources):
    """Runs a family on a backbone that is a folder here."""
    monkeypatch.syspath_prepend(HERE)
    monkeypatch.chdir(tmp_path)
    for kind in ("qwen3", "bert"):
        torch.manual_seed(0)
        config = type(CONFIGS[kind])(**CONFIGS[kind].to_dict() | {"vocab_size": 320})
        name = "AutoModelForCausalLM" if kind in DECODERS else "AutoModelForMaskedLM"
        getattr(transformers, name).from_config(config).save_pretrained(kind)
        tokenizer(Path(kind))

    def begin(path, *sets, job="all", **more):
        quick = ("generate.samples=0", "generate.count=2", "eval.draws=1", "train.steps=3")
        return run(path, "chat_task:CHAT", job=job, sets=(*quick, *sets), **more)

    return begin


@pytest.mark.many
@pytest.mark.parametrize("attention", SPECS)
def test_a_run_trains_from_published_weights(attention, start, tmp_path, capsys):
    path = built(tmp_path, attention, "qwen3")
    still = ("train.learning_rate=1e-9", "train.ema=0", "model.pretrained=published")
    assert start(path, *still) == 0
    assert "published weights: qwen3" in capsys.readouterr().out
    home = Path(f"runs/{attention}/chat/quick-seed1")
    trained = load_file(home / "checkpoints/step-00000003/raw.safetensors")
    first = load_file("qwen3/model.safetensors")["model.norm.weight"]
    assert torch.allclose(trained["backbone.net.model.norm.weight"], first, atol=1e-6)
    assert start(path, job="eval") == 0
    shutil.rmtree("qwen3")
    loaded = xlm_runtime.load(home)  # needs nothing but the run
    assert loaded.generate(["the cat"]) == loaded.generate(["the cat"])


def test_a_run_of_random_weights(start, tmp_path, capsys):
    """The architecture is the named one, the size that of the run, and it is kept with it."""
    path = built(tmp_path, "full", "bert")
    small = ("model.layers=2", "model.width=16", "model.heads=2", "train.steps=3")
    with_words = {"task": "star_easy"}
    assert run(path, sets=(*small, "generate.samples=0"), job="train", **with_words) == 0
    home = Path("runs/full/star_easy/quick-seed1")
    about = json.loads((home / "published.json").read_text())
    assert (about["model_type"], about["hidden_size"], about["num_hidden_layers"]) == (
        "bert",
        16,
        2,
    )
    shutil.rmtree("bert")
    model = xlm_runtime.load(home).model
    assert model.network.backbone.net.config.vocab_size == model.vocabulary.size


def test_a_run_starts_from_another_of_that_architecture(start, tmp_path, capsys):
    """Its size is that of the source, which is not the one of the settings."""
    causal, full = built(tmp_path, "causal", "qwen3"), built(tmp_path, "full", "qwen3")
    assert start(causal, "model.pretrained=published", job="train") == 0
    assert start(full, "train.learning_rate=1e-9", "train.ema=0", job="train",
                 init="runs/causal/chat/quick-seed1", tokenizer="qwen3") == 0  # fmt: skip
    assert "weights from runs/causal/chat/quick-seed1" in capsys.readouterr().out
    source = load_file("runs/causal/chat/quick-seed1/checkpoints/step-00000003/ema.safetensors")
    ours = load_file("runs/full/chat/quick-seed1/checkpoints/step-00000003/raw.safetensors")
    name = "backbone.net.model.layers.1.mlp.up_proj.weight"
    assert torch.allclose(source[name], ours[name], atol=1e-6)
    assert Run(Path("runs/full/chat/quick-seed1")).config.model.width == 32
    assert start(full, "model.layers=3", job="train", init="runs/causal/chat/quick-seed1",
                 tokenizer="qwen3") == 2  # fmt: skip
    assert "decide the size" in capsys.readouterr().err


@pytest.mark.slow
def test_verify_examines_it(start, tmp_path, capsys):
    """The package of a local architecture, with its own network in the checks of padding."""
    settings = Settings(draws=400, steps=(4,), points=16, seconds=3)
    assert verify(built(tmp_path, "full", "bert"), settings) == 0
    assert "0 refuted" in capsys.readouterr().out


def test_a_backbone_that_is_not_there(start, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("xlm_runtime.data.hub._reachable", lambda: False)
    path = built(tmp_path, "full", "./nothing/here/at/all")
    assert run(path, "star_easy", job="train") == 2
    said = capsys.readouterr().err
    assert "the backbone of full, ./nothing/here/at/all: there is no such folder" in said


def test_make_needs_no_published_weights(families, sources, monkeypatch):
    """A plain size becomes one of the architecture."""
    monkeypatch.setattr("xlm_runtime.model.published.find", lambda *_, **__: find(
        str(sources["modernbert"][1]), weights=False))  # fmt: skip
    family = families["full"]
    config = build(family, [], parse_sets(["model.layers=2", "model.width=16", "model.heads=2"]))
    specials = {"pad": 0, "mask": 1, "bos": 2, "eos": 3}
    made = make(family, Vocabulary(30, specials), "text", 8, config).network
    assert made.backbone.net.config.num_hidden_layers == 2
    assert made.trunk(rows(length=5) % 30, None).shape == (2, 5, 16)
