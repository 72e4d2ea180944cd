"""Settings: precedence, types and ranges, and errors that name all mistakes at once."""

from dataclasses import replace
from pathlib import Path

import pytest
from attrs import fields

from xlm_runtime import tasks
from xlm_runtime.config.config import Config, Decoder, roles
from xlm_runtime.config.settings import (
    Setting,
    build,
    differences,
    parse_sets,
    recipe_settings,
)
from xlm_runtime.packages import package
from xlm_runtime.plug import Family, Param
from xlm_runtime.run.command import Command
from xlm_runtime.run.configured import configs_of
from xlm_runtime.system.errors import UsageError

SHIPPED = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def family() -> Family:
    return package.load(Path(__file__).parent / "toy_family").family


def wrong(family: Family, *sets: str) -> list[str]:
    with pytest.raises(UsageError) as error:
        build(family, [], parse_sets(sets))
    return str(error.value).splitlines()


def test_later_settings_win(family: Family) -> None:
    preset = [Setting("train.steps", 100, "quick"), Setting("train.batch", 32, "quick")]
    config = build(family, preset, parse_sets(["train.steps=200", "train.steps=300"]))
    assert (config.train.steps, config.train.batch, config.train.clip) == (300, 32, 1.0)


def test_size_sets_what_is_not_set(family: Family) -> None:
    config = build(family, [Setting("model.size", "tiny", "quick")], parse_sets(["model.layers=5"]))
    assert (config.model.layers, config.model.width, config.model.heads) == (5, 64, 4)


def test_all_mistakes_are_reported_at_once_with_origin_and_suggestion(family: Family) -> None:
    lines = wrong(family, "train.stpes=5", "model.dropout=1.5", "train.compile=1", "steps=3")
    assert lines == [
        "--set train.stpes=5: there is no setting 'train.stpes'; did you mean 'train.steps'?",
        "--set model.dropout=1.5: model.dropout: must be at least 0 and at most 0.99 (at 1 a layer "
        "would output nothing), got 1.5",
        "--set train.compile=1: train.compile: expected true or false, got 1",
        "--set steps=3: there is no setting 'steps'; did you mean 'train.steps'?",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("train.steps=1e3", "expected a whole number, got 1000.0"),
        (
            "train.steps=0",
            "must be at least 1 and at most 1,000,000,000 "
            "(a thousand times the longest recipes), got 0",
        ),
        ("train.steps=true", "expected a whole number, got True"),
        ("train.learning_rate=fast", "expected a number, got 'fast'"),
        (
            "train.learning_rate=0",
            "must be at least 1e-12 and at most 1000 "
            "(about how far a step moves each weight), got 0",
        ),
        ("train.ema=nan", "must be at least 0 and at most 1, got nan"),
        (
            "train.clip=inf",
            "must be 0, or at least 1e-09 and at most 1e+09 "
            "(float32 holds products of a few), got inf",
        ),
        ("train.schedule=cosin", "must be one of constant, cosine, linear, got 'cosin'"),
        (
            "loss.scale=-1",
            "must be 0, or at least 1e-09 and at most 1e+09 "
            "(float32 holds products of a few), got -1",
        ),
    ],
)
def test_values_are_never_bent(family: Family, text: str, said: str) -> None:
    path = text.partition("=")[0]
    assert wrong(family, text) == [f"--set {text}: {path}: {said}"]


def test_what_single_settings_cannot_tell(family: Family) -> None:
    lines = wrong(family, "model.width=30", "train.batch=10", "train.device_batch=4")
    assert len(lines) == 2
    assert lines[0].startswith("model.width=30 must be a multiple of twice model.heads=6")
    assert lines[1].startswith("train.batch=10 must be a multiple of")


def test_accumulation_follows_from_the_global_batch(family: Family) -> None:
    train = build(
        family, [], parse_sets(["train.batch=48", "train.device_batch=8", "train.devices=2"])
    ).train
    assert (train.part, train.accumulate) == (8, 3)


def test_numbers_may_be_written_as_in_python(family: Family) -> None:
    config = build(family, [], parse_sets(["train.steps=80_000", "train.learning_rate=1e-4"]))
    assert (config.train.steps, config.train.learning_rate) == (80_000, 1e-4)


def test_set_without_a_value() -> None:
    with pytest.raises(UsageError, match="write it as --set path=value"):
        parse_sets(["train.steps"])


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("prompt=a,prompt=b", "prompt is given twice, as a and b"),
        ("question", "write it as ROLE=COLUMN"),
        ("prompt=", "write it as ROLE=COLUMN"),
    ],
)
def test_columns_that_are_no_roles(columns: str, said: str) -> None:
    with pytest.raises(UsageError, match=f"--columns {columns}: {said}"):
        roles(columns)


def test_decoder_is_chosen_by_name_and_has_params_of_its_own(family: Family) -> None:
    config = build(family, [], parse_sets(["decoder.temperature=0.5"]))
    assert (config.decoder.name, config.decoder.params) == ("default", {"temperature": 0.5})
    assert build(family, [], parse_sets(["decoder=greedy"])).decoder.params == {}
    (line,) = wrong(family, "decoder=greddy")
    assert line == "--set decoder=greddy: the decoders are default, greedy; did you mean 'greedy'?"
    (line,) = wrong(family, "decoder=greedy", "decoder.temperature=1")
    assert line == (
        "--set decoder.temperature=1: there is no setting 'decoder.temperature'; the decoder is "
        "'greedy' (chosen by --set decoder=greedy), which has none: try --set decoder=default"
    )


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("lr", "train.learning_rate"),
        ("train.lr", "train.learning_rate"),
        ("train.learnin_rate", "train.learning_rate"),
        ("batch_size", "train.batch"),
        ("batchsize", "train.batch"),
        ("model.dim", "model.width"),
        ("stop", "generate.stop"),
        ("data.blok", "data.block"),
    ],
)
def test_a_setting_by_another_name_is_understood(family: Family, path: str, meant: str) -> None:
    (line,) = wrong(family, f"{path}=3")
    assert line.endswith(f"; did you mean '{meant}'?")


def test_where_nothing_is_near_the_settings_of_the_section_are_listed(family: Family) -> None:
    (line,) = wrong(family, "generate.foo=3")
    assert "; there are: generate.count" in line
    assert "train." not in line


def test_who_chose_the_decoder_is_named(family: Family) -> None:
    recipe = [Setting("decoder", "greedy", "recipe task of toy: decoder")]
    with pytest.raises(UsageError, match=r"'greedy' \(chosen by recipe task of toy: decoder\)"):
        build(family, recipe, parse_sets(["temperature=1"]))


@pytest.mark.parametrize("name", ["mdlm", "llada"])
def test_a_decoder_refuses_what_it_cannot_work_with_before_any_work(name: str) -> None:
    found = package.load(Path(__file__).parents[2] / "examples" / name).family
    assert wrong(found, "decoder.steps=0") == ["decoder.steps is at least 1, not 0"]
    if name == "llada":
        lines = wrong(found, "decoder.block_length=0")
        assert lines == ["decoder.block_length is at least 1, not 0"]


def test_recipes(family: Family) -> None:
    paper = recipe_settings(family, "toy_reverse", "paper")
    assert {s.path: s.value for s in paper} == {
        "train.batch": 32, "train.steps": 100, "train.learning_rate": 1e-3,
        "decoder.temperature": 0,
    }  # fmt: skip
    quick = recipe_settings(family, "toy_reverse", "quick")
    assert [s.path for s in quick] == ["decoder.temperature"]
    assert recipe_settings(family, "other", "quick") == []
    with pytest.raises(
        UsageError, match=r"toy has no recipe for task 'other' \(it has: toy_reverse\)"
    ):
        recipe_settings(family, "other", "paper")
    steps = parse_sets(["train.steps=9"])  # stands for a recipe
    assert recipe_settings(family, "other", "paper", steps) == []


def test_recipe_of_the_default_decoder_leaves_others_alone(family: Family) -> None:
    recipe = recipe_settings(family, "toy_reverse", "quick")
    assert build(family, recipe, []).decoder.params == {"temperature": 0.0}
    assert build(family, recipe, parse_sets(["decoder=greedy"])).decoder.params == {}


def test_recipe_may_choose_the_decoder(family: Family) -> None:
    third = {"third": (Param("width", "Count", 2),)}
    wide = replace(
        family,
        decoders={**family.decoders, "third": dict},
        params={**family.params, **third},
        recipes={"task": {"decoder": "third", "decoder.width": 7}},
    )
    recipe = recipe_settings(wide, "task", "quick")
    assert build(wide, recipe, []).decoder == Decoder(name="third", params={"width": 7})
    assert build(wide, recipe, parse_sets(["decoder=greedy"])).decoder.params == {}
    assert build(wide, recipe, parse_sets(["decoder.width=3"])).decoder.params == {"width": 3}


def test_the_noise_of_a_recipe_holds_at_any_size() -> None:
    family = package.load(SHIPPED / "dilm").family
    quick, paper = (recipe_settings(family, "star_easy", preset) for preset in ("quick", "paper"))
    assert [(s.path, s.value) for s in quick] == [("noise.hundreds", 0.5)]
    assert build(family, quick, []).noise == build(family, paper, []).noise == {"hundreds": 0.5}
    assert build(family, quick, parse_sets(["noise.hundreds=2"])).noise == {"hundreds": 2}


def test_mistakes_in_a_recipe_name_it(family: Family) -> None:
    with pytest.raises(UsageError, match=r"recipe: there is no setting 'train\.stepz'; did"):
        build(family, [Setting("train.stepz", 3, "recipe")], [])
    with pytest.raises(UsageError, match=r"recipe: there is no setting 'decoder\.tmp'"):
        build(family, [Setting("decoder.tmp", 3, "recipe")], [])


def test_json_round_trip_and_strictness(family: Family) -> None:
    config = build(family, [], parse_sets(["decoder.temperature=0.5", "train.steps=7"]))
    plain = config.to_json()
    assert Config.from_json(plain, "config.json") == config
    plain["train"]["stepz"] = 3
    plain["eval"]["draws"] = "4"
    with pytest.raises(UsageError) as error:
        Config.from_json(plain, "config.json")
    assert "unknown: stepz" in str(error.value)
    assert "expected a whole number, got '4'" in str(error.value)


def test_differences(family: Family) -> None:
    old, new = (build(family, [], parse_sets(sets)) for sets in ([], ["train.steps=7"]))
    assert differences(old, new, ("model", "train")) == ["train.steps: 10000 -> 7"]
    assert differences(old, new, ("model",)) == []


def test_attention_drops_like_the_rest_where_nothing_else_is_set() -> None:
    family = package.load(SHIPPED / "mdlm").family
    sets = [[], ["model.dropout=0.2"], ["model.dropout=0.2", "model.attention_dropout=0.0"]]
    sizes = [build(family, [], parse_sets(texts)).model.shape for texts in sets]
    assert [(s.dropout, s.attention_dropout) for s in sizes] == [(0, 0), (0.2, 0.2), (0.2, 0.0)]


def test_recipes_name_a_precision_in_a_word() -> None:
    family = package.load(SHIPPED / "mdlm").family
    made = build(family, recipe_settings(family, "lm1b", "paper"), [])
    assert (made.train.precision, made.train.weight_decay) == ("bf16-mixed", 0)
    assert (made.model.dropout, made.model.attention_dropout) == (0.1, 0)
    stars = build(family, recipe_settings(family, "star_easy", "paper"), [])
    assert (stars.train.precision, stars.model.attention_dropout) == ("auto", 0.1)
    ilm = package.load(SHIPPED / "ilm").family
    scales = {task: ilm.recipes[task]["loss.stop_scale"] for task in ("star_easy", "lm1b", "owt")}
    assert scales == {"star_easy": 2, "lm1b": 2, "owt": 0.001}


def test_a_run_names_the_decoder_that_its_recipe_has_chosen(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Once, however many points there are; not where the user names all decoders."""
    task, line = tasks.get("star_easy"), "decoder confident, chosen by recipe star_easy of ilm"
    for name, sets, points, number in (
        ("ilm", (), [(), ()], 1),
        ("ilm", ("decoder=oracle",), [()], 0),
        ("ilm", (), [("decoder=oracle",), ("decoder=default",)], 0),
        ("dilm", (), [()], 0),
    ):
        found = package.load(SHIPPED / name)
        given = dict.fromkeys(field.name for field in fields(Command)) | {
            "package": SHIPPED / name, "task": "star_easy", "job": "all", "metrics": (),
            "sets": sets, "points": points,
        }  # fmt: skip
        command = Command(**given)
        configs_of(command, found, task, "quick", None)
        shown = capsys.readouterr().out
        assert shown == f"{line}; --set decoder=default for the default one\n" * number
