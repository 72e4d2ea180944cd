"""A trained run from Python."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

import xlm_runtime
from xlm_runtime.system.errors import UsageError


def test_generate_answers_prompts(trained: Path) -> None:
    loaded = xlm_runtime.load(trained)
    answers = loaded.generate(["a b c d", "h g f e"], temperature=0.0)
    assert answers == loaded.generate(["a b c d", "h g f e"], decoder="greedy", batch=1)
    assert all(set(answer.split()) <= set("abcdefgh") for answer in answers)


def test_averaged_weights_are_loaded(trained: Path) -> None:
    folder = trained / "checkpoints/step-00000060"
    average = load_file(folder / "ema.safetensors")
    for loaded in (xlm_runtime.load(trained), xlm_runtime.load(folder)):
        found = loaded.model.network.state_dict()
        assert all(found[name].equal(value) for name, value in average.items())
        assert not loaded.model.network.training


def test_mistakes(trained: Path, tmp_path: Path) -> None:
    loaded = xlm_runtime.load(trained)
    with pytest.raises(UsageError, match=r"did you mean 'decoder\.temperature'"):
        loaded.generate(["a"], temprature=0.5)
    with pytest.raises(UsageError, match="the decoders are default, greedy"):
        loaded.generate(["a"], decoder="greddy")
    with pytest.raises(UsageError, match="the prompt has 5 tokens, and there is room for 4"):
        loaded.generate(["a b c d e"])
    with pytest.raises(UsageError, match="there is no run at"):
        xlm_runtime.load(tmp_path)
    with pytest.raises(UsageError, match="there is no checkpoint 'frist'"):
        xlm_runtime.load(trained, ckpt="frist")


def test_importing_the_plug_imports_no_trainer() -> None:
    code = "import sys, xlm_runtime.plug; assert 'lightning' not in sys.modules"
    path = {"PYTHONPATH": str(Path(xlm_runtime.__file__).parents[1])}
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | path)
