"""A trained run from Python: ``xlm_runtime.load("runs/...").generate(["a prompt"])``."""

from pathlib import Path

from xlm_runtime import tokenizers
from xlm_runtime.config.settings import Setting, build
from xlm_runtime.data.lengths import Law
from xlm_runtime.model.model import load_weights, make
from xlm_runtime.model.model import pretrained as from_published
from xlm_runtime.model.published import find
from xlm_runtime.packages import package
from xlm_runtime.packages.trust import Trust, trusting
from xlm_runtime.run.folder import copies
from xlm_runtime.run.folder.runs import PUBLISHED, Run
from xlm_runtime.system import env
from xlm_runtime.system.atomic import read_json
from xlm_runtime.train import saved
from xlm_runtime.use import named
from xlm_runtime.use.loaded import Loaded


def load(run: str | Path, ckpt: str = "best", *, trust: bool = False) -> Loaded:
    """Load the model of a run, with averaged weights; see `xlm_runtime.load`.

    Raises UsageError if there is no such run or checkpoint, or its code may not run.
    """
    return opened(*named.found(run, ckpt), trusting(trust), altered=trust)


def opened(found: Run, folder: Path, trust: Trust, *, altered: bool = False) -> Loaded:
    """Load the model of a run, with the averaged weights in the folder of a checkpoint.

    With ``altered`` its package may have changed since training. Raises UsageError if its code may
    not run.
    """
    config, about = found.config, found.data
    tokenizer = tokenizers.load(found.tokenizer or found.path / "tokenizer")
    family = package.load(copies.own(found, altered), trust).family
    file = found.path / PUBLISHED
    began = read_json(file) if file.is_file() else None
    model = make(family, tokenizer.vocabulary, about["layout"], about["body"], config, began)
    load_weights(model.network, saved.average(folder))
    model.network.to(env.device()).eval()
    lengths = Law.read(about["lengths"], str(found.path / "data.json"))
    return Loaded(model, tokenizer, config, about["prompt"], lengths, began)


def pretrained(
    path: str | Path,
    weights: str | Path = "published",
    *,
    prompt: int = 512,
    body: int = 128,
    chat: bool = False,
    dtype: str = "float32",
    trust: bool = False,
) -> Loaded:
    """Load a package with published weights.

    ``weights`` is a repository of the Hub or a folder, or ``published`` for the one that the spec
    names; ``prompt`` and ``body`` are the room for tokens, ``chat`` puts prompts into a chat
    template; ``trust`` lets the package of a pulled run execute, as for `xlm_runtime.load`. Raises
    UsageError and RunError if package, weights or tokenizer cannot be read or do not fit.
    """
    trusted, name = trusting(trust), str(weights)
    return published(Path(path), name, trusted, prompt=prompt, body=body, chat=chat, dtype=dtype)


def published(
    path: Path,
    weights: str,
    trust: Trust,
    *,
    prompt: int = 512,
    body: int = 128,
    chat: bool = False,
    dtype: str = "float32",
) -> Loaded:
    """Load a package with published weights, as far as its code may run; see `pretrained`."""
    family = package.load(path, trust).family
    repo = family.published.repo if family.published is not None else ""
    name = repo if weights == "published" and repo else weights
    sets = [("model.pretrained", name), ("model.dtype", dtype), ("data.chat", chat)]
    config = build(family, [], [Setting(key, v, f"{key}={v!r}") for key, v in sets])
    checkpoint = find(name, weights=True)
    tokenizer = tokenizers.pretrained(str(checkpoint.folder), family.specials, sharing=True)
    layout = "seq2seq" if prompt and "seq2seq" in family.layouts else "text"
    model = from_published(family, tokenizer.vocabulary, layout, body, config, checkpoint)
    model.network.to(env.device()).eval()
    room = prompt if layout == "seq2seq" else 0
    return Loaded(model, tokenizer, config, room, [body], checkpoint.config)
