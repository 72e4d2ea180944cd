"""Folders that transformers loads with their code, where nothing of xlmc is installed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from fresh import untrained
from torch import Tensor

from xlm_runtime.model import remote
from xlm_runtime.system.errors import UsageError

LOAD = """
import sys
sys.modules["xlm_runtime"] = sys.modules["xlmc"] = None  # an import of them fails
import torch
from transformers import AutoModel, AutoTokenizer
for name in sys.argv[1:]:
    ids, mask, told, wanted = torch.load(f"{name}.pt")
    model = AutoModel.from_pretrained(name, trust_remote_code=True)
    with torch.no_grad():
        answers = model(ids, attention_mask=mask, **told).logits
    assert torch.equal(answers, wanted), name
    assert torch.isinf(answers[0, 0]).any(), name
    assert len(AutoTokenizer.from_pretrained(name)) > 0
    print(name, "as it was")
try:
    model(ids, something=1)
except TypeError as error:
    print(error)
"""
FAMILIES = ("mdlm", "sedd", "ilm", "arlm")  # gates, a condition, several heads, from left to right
BLOCKWISE = ("bd3lm", "sdar", "llada2")


def in_blocks(
    network: torch.nn.Module, ids: Tensor, mask: Tensor, told: dict[str, Tensor]
) -> Tensor:
    """The states at decoding, which are those of two streams of the same tokens."""
    block = network.blocks(told["free"])
    hidden, _ = network.extend(ids, mask, block)
    both = network.trunk(ids, mask, block, ids)
    torch.testing.assert_close(hidden[mask], both[mask], rtol=1e-4, atol=1e-5)
    return hidden


@pytest.mark.slow
@torch.no_grad()
def test_networks_answer_as_they_did(tmp_path: Path) -> None:
    for name in (*FAMILIES, *BLOCKWISE):
        blocks = name in BLOCKWISE
        made = untrained(name, **{"block": 2} if blocks else {})
        made.publish(tmp_path / name)
        network = made.model.network.eval()
        about = json.loads((tmp_path / name / "config.json").read_text())
        told = {one: torch.tensor([0.3, 0.6]) for one in about["told"]}
        plain = made.model.vocabulary.allowed(()).nonzero()[:, 0]  # no special among them
        ids = plain[torch.randint(len(plain), (2, 7))]
        mask = torch.ones(2, 7)
        mask[0, 5:] = 0
        if blocks:  # in one of them behind a prompt, else behind bos
            ids[:, 0] = made.model.vocabulary["bos"]
            told["free"] = mask.bool() & (torch.arange(7) >= (4 if name == "sdar" else 1))
            hidden = in_blocks(network, ids, mask.bool(), told)
            told = told if name == "sdar" else {}
        else:
            hidden = network.trunk(ids, mask.bool(), **told)
        wanted = getattr(network, about["head"])(hidden)
        torch.save([ids, mask, told, wanted], tmp_path / f"{name}.pt")
        assert all("xlm_runtime" not in f.read_text() for f in (tmp_path / name).glob("[!mx]*.py"))
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    env |= {"HF_MODULES_CACHE": str(tmp_path / "modules"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", LOAD, *BLOCKWISE, *FAMILIES],
        cwd=tmp_path, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("as it was") == len(FAMILIES) + len(BLOCKWISE)
    assert "the network is told nothing, not ['something']" in done.stdout


def test_files_of_others_stay(tmp_path: Path) -> None:
    made = untrained("mdlm")
    made.publish(tmp_path / "mine")
    (tmp_path / "mine/train.py").write_text("print(1)")
    (tmp_path / "mine/network.py").write_text("of an earlier version")
    made.publish(tmp_path / "mine")
    assert (tmp_path / "mine/train.py").read_text() == "print(1)"
    assert "class Network" in (tmp_path / "mine/network.py").read_text()


def test_drawn_orders_have_no_form(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"takes rank beside tokens.*--job push"):
        untrained("xlnet").publish(tmp_path / "orders")
    assert not (tmp_path / "orders").exists()


def test_what_else_of_the_runtime_a_network_needs_is_named() -> None:
    module = remote._Module("from xlm_runtime.plug import ModelSize\nfrom .other import f\n")
    assert module.shipped == "from .xlmc_plug import ModelSize\nfrom .other import f\n"
    assert [node.module for node in module.imports()] == ["xlm_runtime.plug", "other"]
