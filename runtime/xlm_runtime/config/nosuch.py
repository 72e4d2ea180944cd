"""Hints for settings that a run does not have."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from xlm_runtime.plug import Param

SAME = {  # what others call our settings, without `_`
    "lr": "train.learning_rate",
    "rate": "train.learning_rate",
    "epochs": "train.steps",
    "iterations": "train.steps",
    "maxsteps": "train.steps",
    "warmupsteps": "train.warmup",
    "batchsize": "train.batch",
    "bs": "train.batch",
    "wd": "train.weight_decay",
    "decay": "train.weight_decay",
    "gradclip": "train.clip",
    "accumulate": "train.device_batch",
    "numworkers": "train.workers",
    "dim": "model.width",
    "hidden": "model.width",
    "hiddensize": "model.width",
    "dmodel": "model.width",
    "depth": "model.layers",
    "numlayers": "model.layers",
    "nlayers": "model.layers",
    "numheads": "model.heads",
    "nheads": "model.heads",
    "blocksize": "data.block",
    "maxlength": "data.block",
    "seqlen": "data.block",
}


def instead(
    path: str,
    known: Iterable[str],
    decoders: Mapping[str, Iterable[Param]],
    decoder: str,
    why: str,
) -> str:
    """Return the end of a message about a path that is not ``known``.

    If the path is a param of a decoder that is not selected, the message names the decoders that
    have it and the reason for which another one is selected.
    """
    known = tuple(known)
    section, _, name = path.rpartition(".")
    if section in ("", "decoder"):
        having = [d for d, params in decoders.items() if any(p.name == name for p in params)]
        if having and decoder not in having:
            others = " or ".join(f"--set decoder={one}" for one in having)
            return f"; the decoder is '{decoder}' ({why}), which has none: try {others}"
    last = {one.rpartition(".")[2]: one for one in known}
    inside = {one.rpartition(".")[2]: one for one in known if one.startswith(f"{section}.")}
    same = SAME.get(name.lower().replace("_", ""))
    near = [one for one in (same, last.get(name)) if one in known]
    near += [inside[one] for one in get_close_matches(name, inside, n=1)]
    near += [last[one] for one in get_close_matches(name, last, n=1, cutoff=0.75)]
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; there are: {', '.join(inside.values() or known)}"
