"""Published weights: the network is that of transformers; what is wrong with files is said."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from published import SPEC, edit, package, published, reference
from safetensors.torch import load_file, save_file
from transformers import Qwen2ForCausalLM

from xlm_runtime.model.published import backwards, fill, find, renamed, save, size_of
from xlm_runtime.packages import package as packages
from xlm_runtime.plug import ModelSize, Vocabulary
from xlm_runtime.system.errors import RunError, UsageError

CLOSE = 1e-4


@pytest.fixture(scope="module")
def family(tmp_path_factory):
    return packages.load(package(tmp_path_factory.mktemp("package"))).family


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    return published(folder, reference())


@pytest.fixture
def weights(source, tmp_path):
    """A copy of the published files, to be spoilt."""
    return Path(shutil.copytree(source, tmp_path / "weights"))


def filled(family, folder, dtype=torch.float32, **more):
    """The family's network with the weights of a folder, made without memory of its own."""
    found = find(str(folder), weights=True)
    vocab = Vocabulary(found.rows, {"pad": 0, "mask": 1, "bos": 2, "eos": 3})
    size = size_of(family, found.config, found.name)
    with torch.device("meta"):
        network = family.network(vocab, vocab.allowed(()), size)
    fresh = fill(network, family.published.names, found, dtype, **more)
    return network.eval(), fresh


def full(attend):
    """A mask under which every token sees every token that is not padding."""
    seen = attend[:, None, None, :].expand(-1, 1, attend.shape[1], -1)
    return torch.where(seen, 0.0, torch.finfo(torch.float32).min)


def theirs(network, ids, attend):
    """The hidden states and logits of transformers with full attention."""
    position = (attend.long().cumsum(1) - 1).clamp(min=0)
    with torch.no_grad():
        out = network(
            input_ids=ids, attention_mask=full(attend), position_ids=position,
            output_hidden_states=True,
        )  # fmt: skip
    return out.hidden_states[-1], out.logits


@pytest.mark.parametrize("shard", ["20KB", "1GB"], ids=["sharded", "single"])
@pytest.mark.parametrize("more", [{}, {"tie_word_embeddings": True}], ids=["untied", "tied"])
def test_the_network_is_that_of_transformers(family, tmp_path, shard, more):
    """With full attention, for padded rows too."""
    other = reference(**more)
    folder = published(tmp_path, other, shard)
    files = list(folder.glob("*.safetensors"))
    assert (len(files) > 3) == (shard == "20KB")
    network, fresh = filled(family, folder)
    assert fresh == []
    assert not any(weight.is_meta for weight in network.parameters())
    ids = torch.randint(4, 101, (3, 9), generator=torch.Generator().manual_seed(1))
    attend = torch.ones_like(ids, dtype=torch.bool)
    attend[1, :4] = attend[2, 6:] = False
    for seen in (attend, torch.ones_like(attend)):
        hidden, logits = theirs(other, ids, seen)
        with torch.no_grad():
            own = network.trunk(ids, None if seen.all() else seen)
            said = network.to_token(own)
        assert (own - hidden)[seen].abs().max() < CLOSE
        assert (said - logits)[seen].abs().max() < CLOSE
        assert logits[seen].std() > 0.1
    with torch.no_grad():
        causal = other(input_ids=ids).logits
    assert (said - causal).abs().max() > 0.01  # it is the mask that makes the difference


def test_tied_embeddings_stay_one_weight(family, tmp_path):
    network, _ = filled(family, published(tmp_path, reference(tie_word_embeddings=True)))
    assert network.to_token.weight is network.backbone.embed.weight
    untied, _ = filled(family, published(tmp_path / "untied", reference()))
    assert untied.to_token.weight is not untied.backbone.embed.weight


def test_weights_go_out_as_they_came_in(family, source, tmp_path):
    network, _ = filled(family, source)
    save(network, family.published.names, find(str(source), weights=True).config, tmp_path, "20KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 3
    again, before = (Qwen2ForCausalLM.from_pretrained(path) for path in (tmp_path, source))
    for name, weight in before.state_dict().items():
        assert torch.equal(again.state_dict()[name], weight), name


def test_a_network_trained_from_scratch_can_be_published(family, tmp_path):
    vocab = Vocabulary(50, {"pad": 0, "mask": 1, "bos": 2, "eos": 3})
    size = ModelSize(layers=2, width=32, heads=4)
    network = family.network(vocab, vocab.allowed(()), size).eval()
    save(network, family.published.names, family.published.config(size, vocab.size), tmp_path)
    other = Qwen2ForCausalLM.from_pretrained(tmp_path, attn_implementation="eager")
    ids = torch.randint(4, 50, (2, 7))
    hidden, _ = theirs(other, ids, torch.ones_like(ids, dtype=torch.bool))
    with torch.no_grad():
        assert (network.trunk(ids, None) - hidden).abs().max() < CLOSE
    read = size_of(family, json.loads((tmp_path / "config.json").read_text()), "here")
    assert family.published.config(read, 50) == family.published.config(size, 50)


def test_the_table_of_names_leads_there_and_back(family):
    names = family.published.names
    for ours, other in (
        ("backbone.blocks.11.attention.q.bias", "model.layers.11.self_attn.q_proj.bias"),
        ("to_token.weight", "lm_head.weight"),
        ("backbone.norm.weight", "model.norm.weight"),
    ):
        assert renamed(ours, names) == other
        assert renamed(other, backwards(names)) == ours
    assert renamed("to_other.weight", names) is None
    assert renamed("backbone.blocks.x.norm_1.weight", names) is None


def test_weights_are_read_in_the_precision_asked_for(family, source):
    network, _ = filled(family, source, torch.bfloat16)
    assert {weight.dtype for weight in network.parameters()} == {torch.bfloat16}
    ids = torch.randint(4, 101, (1, 6))
    exact, _ = filled(family, source)
    with torch.no_grad():
        assert (network.trunk(ids, None).float() - exact.trunk(ids, None)).abs().max() < 0.5


def test_a_head_of_the_familys_own_is_drawn_afresh(tmp_path, source):
    spec = SPEC.replace("shifted }", "shifted; head done : chance at bos }")
    spec = spec.replace("weight bound }", "weight bound; done : binary_cross_entropy(none mask) }")
    spec = spec.replace("prompt [", "prompt bos [")
    spec = spec.replace("noise {", "noise { amount count ~ uniform(0, length);")
    family = packages.load(package(tmp_path, spec)).family
    network, fresh = filled(family, source)
    assert fresh == ["to_done.weight", "to_done.bias"]
    assert network.to_done.weight.std() > 0
    assert not network.to_done.bias.any()
    config = family.published.config(ModelSize(2, 32, 4), 50)
    with pytest.raises(UsageError, match=r"has no name for to_done\.weight, to_done\.bias"):
        save(network, family.published.names, config, tmp_path / "out")


def test_old_files_with_frequencies_are_read(family, weights):
    shard = sorted(weights.glob("*.safetensors"))[0]
    name = "model.layers.0.self_attn.rotary_emb.inv_freq"
    save_file(load_file(shard) | {name: torch.ones(4)}, shard)
    index = weights / "model.safetensors.index.json"
    mapped = json.loads(index.read_text())["weight_map"]
    edit(index, weight_map=mapped | {name: shard.name})
    filled(family, weights)


# What is wrong with files


def spoilt(folder, family):
    """What is said about the files of a folder."""
    with pytest.raises(RunError) as told:
        filled(family, folder)
    text = str(told.value)
    assert "Traceback" not in text
    return text


def rewrite(folder, name, tensor):
    """Replaces a tensor in the file that holds it; None takes it out of there."""
    index = json.loads((folder / "model.safetensors.index.json").read_text())["weight_map"]
    file = folder / index[name]
    tensors = load_file(file)
    tensors.pop(name)
    save_file(tensors if tensor is None else tensors | {name: tensor}, file)


NAME = "model.layers.1.mlp.up_proj.weight"
INDEX = "model.safetensors.index.json"


def test_no_folder(family):
    told = spoilt("/nowhere/at/all", family)
    assert "model.pretrained=/nowhere/at/all: there is no such folder" in told


def test_no_config(weights, family):
    (weights / "config.json").unlink()
    assert "has no config.json" in spoilt(weights, family)


@pytest.mark.parametrize(("text", "wanted"), [
    ("{", "is no JSON"), ("[]", "is no JSON object"), ("{}", "has no vocab_size"),
])  # fmt: skip
def test_a_config_that_is_none(weights, family, text, wanted):
    (weights / "config.json").write_text(text)
    assert wanted in spoilt(weights, family)


@pytest.mark.parametrize(("change", "wanted"), [
    ({"hidden_act": "gelu"}, "hidden_act is gelu, and this backbone has silu"),
    ({"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e6}}, "rope_type is yarn"),
    ({"use_sliding_window": True}, "use_sliding_window is True"),
    ({"head_dim": 64}, "head_dim is 64, and this backbone has 8"),
    ({"num_key_value_heads": None}, "has no 'num_key_value_heads', which the backbone needs"),
    ({"hidden_size": "wide"}, "does not fit the backbone"),
])  # fmt: skip
def test_a_config_of_another_network(weights, family, change, wanted):
    edit(weights / "config.json", **change)
    assert wanted in spoilt(weights, family)


def test_an_older_config_names_the_base_of_rotary_positions_elsewhere(weights, family):
    edit(weights / "config.json", rope_parameters=None, rope_theta=1e6, rope_scaling=None)
    network, _ = filled(family, weights)
    assert network.backbone.shape.rotary_base == 1e6


def test_no_weights(weights, family):
    for file in weights.glob("*.safetensors*"):
        file.unlink()
    assert f"has neither model.safetensors nor {INDEX}" in spoilt(weights, family)
    (weights / "pytorch_model.bin").write_bytes(b"")
    assert "is pickled code, which is never executed" in spoilt(weights, family)


def test_a_shard_is_missing(weights, family):
    file = sorted(weights.glob("*.safetensors"))[1]
    file.unlink()
    assert f"{file.name} is missing, and with it" in spoilt(weights, family)


def test_a_shard_is_cut_off(weights, family):
    file = sorted(weights.glob("*.safetensors"))[1]
    file.write_bytes(file.read_bytes()[:-100])
    assert f"{file.name} cannot be read as safetensors" in spoilt(weights, family)


def test_a_tensor_is_missing_from_its_shard(weights, family):
    rewrite(weights, NAME, None)
    assert f"has no {NAME}, although {INDEX} lists it" in spoilt(weights, family)


def test_a_tensor_is_missing(weights, family):
    index = weights / INDEX
    mapped = json.loads(index.read_text())["weight_map"]
    edit(index, weight_map={name: file for name, file in mapped.items() if name != NAME})
    assert f"{NAME} is missing" in spoilt(weights, family)


def test_a_tensor_of_another_shape(weights, family):
    rewrite(weights, NAME, torch.zeros(48, 31))
    assert f"{NAME} is [48, 31], and the network has [48, 32]" in spoilt(weights, family)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_a_tensor_that_is_not_finite(weights, family, wrong):
    tensor = torch.zeros(48, 32)
    tensor[3, 4] = wrong
    rewrite(weights, NAME, tensor)
    told = spoilt(weights, family)
    assert f"1 of the 1536 numbers of {NAME} are not finite" in told


def test_a_tensor_too_many(weights, family):
    edit(weights / "config.json", num_hidden_layers=2, layer_types=None)
    told = spoilt(weights, family)
    assert "the network has no model.layers.2.input_layernorm.weight" in told
    assert "and 2 more" in told


@pytest.mark.parametrize("index", [{}, {"weight_map": []}, {"weight_map": {"a": 1}}])
def test_an_index_without_a_map(weights, family, index):
    (weights / INDEX).write_text(json.dumps(index))
    assert "has no weight_map" in spoilt(weights, family)


def test_an_index_that_leads_elsewhere(weights, family):
    (weights / INDEX).write_text(json.dumps({"weight_map": {"a": "../../etc/passwd"}}))
    assert "is not a file beside it" in spoilt(weights, family)


def test_a_repository_out_of_reach(family, monkeypatch):
    monkeypatch.setattr("xlm_runtime.data.hub._reachable", lambda: False)
    told = spoilt("nobody/such-weights-exist", family)
    assert (
        "the model nobody/such-weights-exist is not on this machine, and the Hub cannot be" in told
    )
    assert "and there is no folder nobody/such-weights-exist" in told
