"""The model of a command: a trained run, or a package with published weights."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from xlm_runtime.model.published import find
from xlm_runtime.packages import contents
from xlm_runtime.run.reports import measured
from xlm_runtime.system.errors import UsageError
from xlm_runtime.use import named, trained
from xlm_runtime.use.loaded import Loaded
from xlm_runtime.use.options import Options


@frozen(eq=False)
class Opened:
    """A model, the name that messages give it, and its sources: hashes of package and weights."""

    loaded: Loaded
    name: str
    sources: Mapping[str, Any]


def opened(options: Options, *, chat: bool = False) -> Opened:
    """Open the model that a command names.  Raises UsageError and RunError.

    With published weights prompts are put into a chat template if the command is a ``chat``, unless
    a setting decides.
    """
    if options.weights is not None:
        return _published(options, chat=chat)
    run, folder = named.found(options.what, options.ckpt, options.trust.judge)
    loaded = trained.opened(run, folder, options.trust, altered=options.agreed)
    marks = {"package": run.facts["package"], "weights": measured.weights(folder)}
    sources = {"run": str(run.path), "checkpoint": folder.name, "of": marks}
    return Opened(loaded, str(run.path), sources)


def _published(options: Options, *, chat: bool) -> Opened:
    path, weights = Path(options.what), str(options.weights)
    if not (path / "__init__.py").is_file():
        raise UsageError(f"--weights {weights}: {path} is no package, which weights need")
    how: dict[str, Any] = {"chat": chat} | options.published()
    loaded = trained.published(path, weights, options.trust, **how)
    folder = find(loaded.config.model.pretrained, weights=True).folder
    marks = {"package": contents.read(path).digest, "weights": measured.weights(folder)}
    sources = {"run": str(path), "checkpoint": weights, "of": marks}
    return Opened(loaded, f"{path} with {weights}", sources)
