"""Settings: the values of a recipe or of ``--set``, checked and put together to a configuration.

Settings come from the quick values of a task or the recipe of a family, and from ``--set``. Each is
checked on its own, so that all mistakes are reported at once, with the place they came from.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Literal

from attrs import fields, frozen

from xlm_runtime.config.config import SECTIONS, SIZES, Config, Decoder, Model, Train, strings
from xlm_runtime.config.nosuch import instead
from xlm_runtime.plug import Family, Param
from xlm_runtime.system import bounds
from xlm_runtime.system.bounds import Scale
from xlm_runtime.system.errors import UsageError
from xlm_runtime.system.strict import converter, mistakes, within

_SHOWN = 100  # characters of a setting that messages repeat
_TYPES: dict[str, Any] = {
    "Count": bounds.Count,
    "Size": bounds.Size,
    "Chance": bounds.Chance,
    "Scale": Scale,
}
_OF_NOISE = _TYPES | {
    "Count": bounds.NoiseCount,
    "Size": bounds.NoiseSize,
    "Scale": bounds.NoiseScale,
}
RECIPE = (
    {
        "block": "data.block",
        **{key: f"model.{key}" for key in ("attention_dropout", "dropout", "layers", "size")},
    }
    | {
        key: f"train.{key}"
        for key in (
            "batch",
            "steps",
            "learning_rate",
            "warmup",
            "ema",
            "schedule",
            "min_rate",
            "weight_decay",
        )
    }
    | {"precision": "train.precision"}
)
PRECISIONS = {"fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}  # the words of recipes


@frozen
class Setting:
    """A value for one path of the configuration, and where it came from."""

    path: str
    value: object
    origin: str


def parse_sets(texts: Iterable[str]) -> list[Setting]:
    """Return the settings of ``--set a.b=v`` options.  Raises UsageError for one without ``=``."""
    settings = []
    for text in texts:
        path, equals, value = text.partition("=")
        if not equals or not path.strip():
            raise UsageError(
                f"--set {shorten(text)}: write it as --set path=value, as in --set train.steps=500"
            )
        settings.append(Setting(path.strip(), _value(value), f"--set {shorten(text)}"))
    return settings


def shorten(text: str) -> str:
    """Shorten a user's input for a message."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def recipe_settings(
    family: Family, task: str, preset: str, sets: Sequence[Setting] = ()
) -> list[Setting]:
    """Return what the family's recipe sets: noise, decoder, and with preset ``paper`` all the rest.

    Raises UsageError if ``paper`` is requested for a task without a recipe, unless ``sets``
    contain the number of training steps.
    """
    recipe = family.recipes.get(task)
    if recipe is None and preset == "paper" and not any(s.path == "train.steps" for s in sets):
        known = ", ".join(sorted(family.recipes)) or "none"
        raise UsageError(
            f"{family.name} has no recipe for task '{task}' (it has: {known}); "
            "use --preset quick with --set, add a recipe to the spec, or train with the defaults "
            "of the runtime for --set train.steps=N"
        )
    origin = f"recipe {task} of {family.name}"
    paths = {k: RECIPE.get(k, k) for k in recipe or {}}
    chosen = {k for k in paths if k.partition(".")[0] in ("noise", "decoder")}  # at any size
    wanted = {k: path for k, path in paths.items() if preset == "paper" or k in chosen}
    values = {
        k: PRECISIONS.get(str(v), v) if k == "precision" else v for k, v in (recipe or {}).items()
    }
    return [Setting(path, values[k], f"{origin}: {k}") for k, path in wanted.items()]


def build(family: Family, preset: Sequence[Setting], sets: Sequence[Setting]) -> Config:
    """Build a configuration: defaults, then the preset, then ``--set``; later ones win.

    ``decoder`` names one of the family's decoders. The ``decoder.*`` settings of a preset apply to
    the decoder that the preset selects, and to another one if it has the same param. Raises
    UsageError with one line for each mistake.
    """
    choices = [s for s in (*preset, *sets) if s.path == "decoder"]
    problems = [p for s in choices for p in _choice(s, family.decoders)]
    presets, name = _chosen(family, preset), _chosen(family, [*preset, *sets])
    own, common = _decoder_types(family, name), _decoder_types(family, presets)
    preset = [s for s in preset if s.path in own or s.path not in common]
    types = section_types() | own
    for section in ("loss", "noise"):
        types |= _param_types(section, family.params.get(section, ()))
    settings = [s for s in (*preset, *sets) if s.path != "decoder"]
    by = next((f"chosen by {s.origin}" for s in reversed(choices) if s.value == name), "by default")
    params = {one: family.params.get(one, ()) for one in family.decoders}
    problems += [
        line
        for s in settings
        for line in _check(s, types, lambda at: instead(at, types, params, name, by))
    ]
    if problems:
        raise UsageError("\n".join(problems))
    config = _assemble(family, name, {s.path: s.value for s in settings})
    _check_whole(config)
    _check_decoder(family, config.decoder)
    return config


def _chosen(family: Family, settings: Iterable[Setting]) -> str:
    """Return the last decoder of the family that the settings name, or its default."""
    named = [str(s.value) for s in settings if s.path == "decoder" and s.value in family.decoders]
    return [next(iter(family.decoders)), *named][-1]


def _assemble(family: Family, decoder: str, values: Mapping[str, object]) -> Config:
    """Assemble a configuration from checked values and the defaults of all others."""
    size = str(values.get("model.size", fields(Model).size.default))
    layers, width, heads = SIZES[size]
    follow: dict[str, object] = {"model.layers": layers, "model.width": width, "model.heads": heads}
    follow["model.attention_dropout"] = values.get("model.dropout", fields(Model).dropout.default)
    values = follow | dict(values)
    plain: dict[str, Any] = {
        section: {f.name: values.get(f"{section}.{f.name}", f.default) for f in fields(cls)}
        for section, cls in SECTIONS.items()
    }
    for section in ("loss", "noise"):
        plain[section] = _params(section, family.params.get(section, ()), values)
    params = _params("decoder", family.params.get(decoder, ()), values)
    plain["decoder"] = {"name": decoder, "params": params}
    return converter.structure(plain, Config)


def _params(at: str, params: Iterable[Param], values: Mapping[str, object]) -> dict[str, object]:
    return {p.name: within(values.get(f"{at}.{p.name}", p.default), _kind(at, p)) for p in params}


def section_types() -> dict[str, Any]:
    """Return the type of every setting that all families share."""
    return {f"{name}.{f.name}": f.type for name, cls in SECTIONS.items() for f in fields(cls)}


def _param_types(at: str, params: Iterable[Param]) -> dict[str, Any]:
    return {f"{at}.{p.name}": _kind(at, p) for p in params}


def _decoder_types(family: Family, decoder: str) -> dict[str, Any]:
    return _param_types("decoder", family.params.get(decoder, ()))


def _kind(at: str, param: Param) -> Any:
    if param.kind == "Choice":
        return Literal[param.options]
    return (_OF_NOISE if at == "noise" and not param.length else _TYPES)[param.kind]


def _check(setting: Setting, types: Mapping[str, Any], hint: Callable[[str], str]) -> list[str]:
    """Return the faults of a setting: an unknown path, with a hint, or a wrong value."""
    if setting.path not in types:
        return [f"{setting.origin}: there is no setting '{setting.path}'{hint(setting.path)}"]
    return [
        f"{setting.origin}: {setting.path}: {line}"
        for line in mistakes(setting.value, types[setting.path])
    ]


def _choice(setting: Setting, options: Mapping[str, object]) -> list[str]:
    if setting.value in options:
        return []
    near = get_close_matches(str(setting.value), options, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return [f"{setting.origin}: the decoders are {', '.join(options)}{hint}"]


def _check_whole(config: Config) -> None:
    """Check the conditions that involve several settings.  Raises UsageError."""
    model, train = config.model, config.train
    problems = []
    if model.width % (2 * model.heads):
        problems.append(
            f"model.width={model.width} must be a multiple of twice model.heads={model.heads}"
        )
    shares = f"train.devices={train.devices}"
    shares += f" times train.nodes={train.nodes}" if train.nodes > 1 else ""
    if train.batch < train.processes:
        problems.append(f"train.batch={train.batch} is less than {shares}")
    elif train.batch % (train.processes * train.part):
        problems.append(
            f"train.batch={train.batch} must be a multiple of {shares} "
            f"times train.device_batch={train.part}"
        )
    problems += [*_unsharded(train), *_unrounded(train)]
    for path, text, noun in (
        ("generate.stop", config.generate.stop, "a string to stop at"),
        ("generate.suppress", config.generate.suppress, "a token"),
        ("eval.metrics", config.eval.metrics, "a metric"),
        ("train.loggers", train.loggers, "a logger"),
        ("train.callbacks", train.callbacks, "a callback"),
    ):
        try:
            strings(text, noun)
        except ValueError as error:
            problems.append(f'{path}={shorten(text)}: write "A", or ["A", "B"]: {error}')
    if problems:
        raise UsageError("\n".join(problems))


def _unsharded(train: Train) -> list[str]:
    """Return what of a training does not go with sharded weights."""
    if train.strategy != "fsdp":
        return []
    alone, scaled = train.processes == 1, train.precision == "16-mixed"
    reasons = {
        "train.devices=1: nothing is shared by one device: give --devices N": alone,
        f"train.lora={train.lora}: adapters are merged into whole weights, and frozen weights need "
        "little memory: leave train.strategy out": train.lora > 0,
        "train.compile=true: it has not been tried on shards: leave it out": train.compile,
        "train.precision=16-mixed: gradients are scaled, which shards would do each for itself: "
        "choose bf16-mixed": scaled,
        "train.optimizer=muon: it works on whole matrices, of which a device has a shard: choose "
        "adamw": train.optimizer == "muon",
        "train.optimizer=schedule_free: it averages the weights in place of the average that is "
        "sharded: choose adamw": train.optimizer == "schedule_free",
    }
    return [f"train.strategy=fsdp and {why}" for why, holds in reasons.items() if holds]


def _unrounded(train: Train) -> list[str]:
    """Return what of a training does not go with rounded matrices."""
    bits = f"train.lora_bits={train.lora_bits}"
    reasons = {
        f"{bits} and train.lora=0: rounded matrices cannot be trained, adapters beside them can: "
        "set train.lora to a rank, such as 8": not train.lora,
        f"{bits} and train.compile=true: it has not been tried on rounded matrices: leave it "
        "out": train.compile,
    }
    return [why for why, holds in reasons.items() if train.lora_bits and holds]


def _check_decoder(family: Family, decoder: Decoder) -> None:
    """Check the params of a decoder by constructing it.  Raises UsageError."""
    try:
        family.decoders[decoder.name](**decoder.params)
    except ValueError as error:
        raise UsageError(f"decoder.{error}") from error


def _value(text: str) -> object:
    """Parse a number or truth value in Python's or JSON's spelling; return other text as it is."""
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(text, text)


def differences(old: Config, new: Config, sections: Sequence[str]) -> list[str]:
    """List the settings in which two configurations differ: ``train.steps: 500 -> 900``."""
    return [
        f"{path}: {json.dumps(before)} -> {json.dumps(after)}"
        for path, (before, after) in changes(old, new, sections).items()
    ]


def changes(old: Config, new: Config, sections: Sequence[str]) -> dict[str, tuple[object, object]]:
    """Return the settings in which two configurations differ, with both values."""
    before, after = (_flat(config, sections) for config in (old, new))
    return {
        path: (before.get(path), after.get(path))
        for path in dict.fromkeys([*before, *after])
        if before.get(path) != after.get(path)
    }


def _flat(config: Config, sections: Sequence[str]) -> dict[str, object]:
    plain = config.to_json()
    return {f"{s}.{key}": value for s in sections for key, value in plain[s].items()}
