"""Code of runs that came from elsewhere: when it runs, and what is said where it does not."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from shelf import Shelf

import xlm_runtime
from xlm_runtime.packages.contents import Contents
from xlm_runtime.run import share
from xlm_runtime.run.folder.runs import Run, alone
from xlm_runtime.run.main import run as run_
from xlm_runtime.system.atomic import write_json
from xlm_runtime.system.errors import UsageError
from xlm_runtime.system.reader import sealed
from xlm_runtime.use.main import generate
from xlm_runtime.use.options import Options
from xlm_runtime.verify.bench import Settings
from xlm_runtime.verify.main import verify
from xlmc.commands import trust as command
from xlmc.commands.trust import judged
from xlmc.compiler import compile_spec

HERE = Path(__file__).parent
PACKAGE = HERE.parents[1] / "examples/mdlm"
SPEC = HERE.parents[1] / "spec/mdlm.xlm"
SMALL = (
    "model.size=tiny", "model.layers=1", "model.width=16", "model.heads=2", "train.steps=2",
    "generate.samples=0", "generate.count=2", "eval.examples=3", "eval.draws=1",
)  # fmt: skip
CANARY = "import pathlib\npathlib.Path({!r}).write_text('code was run')\n"
Start = Callable[..., int]


@pytest.fixture(scope="module")
def pushed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What is on the Hub of a run of the shipped spec."""
    folder = tmp_path_factory.mktemp("pushed")
    shelf = Shelf(folder / "hub")
    with pytest.MonkeyPatch.context() as patch:
        shelf.use(patch)
        patch.syspath_prepend(HERE)
        patch.chdir(folder)
        for job, more in (("train", {"sets": SMALL}), ("push", {"repo": "tester/mine"})):
            assert run_(PACKAGE, "toy_task:REVERSE", job=job, **more) == 0
    return shelf.repos["tester/mine"]


@pytest.fixture
def pulled(
    start: Start, pushed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Path]:
    """Changes what is on the Hub, and pulls it."""
    shelf = Shelf(tmp_path / "hub")
    shelf.use(monkeypatch)

    def begin(change: Callable[[dict[str, bytes]], None] = lambda _: None) -> Path:
        files = shelf.repos["tester/mine"] = dict(pushed)
        change(files)
        agree(files)
        assert share.pull("tester/mine", Path("came"), judged) == 0
        return Path("came")

    return begin


def agree(files: dict[str, bytes]) -> None:
    """Makes a repository consistent with itself, as whoever alters it would."""
    package = {n.removeprefix("package/"): c for n, c in files.items() if n.startswith("package/")}
    held = Contents(Path(), dict(sorted(package.items())))
    facts = json.loads(files["run.json"]) | {"package": held.digest, "files": held.hashes}
    files["run.json"] = json.dumps(sealed(facts)).encode()


def altered(canary: Path) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        files["package/loss.py"] += CANARY.format(str(canary)).encode()

    return change


def evaluated(start: Start, run: Path, agreed: bool = False, **more: object) -> int:
    said: list[str] = []
    code = start(
        package=run / "package", job="eval", run_dir=run, sets=("eval.examples=2",),
        trust=command.trust(agreed, said.append), **more,
    )  # fmt: skip
    print("\n".join(said))
    return code


def generated(what: Path | str, agreed: bool = False) -> int:
    trust = command.trust(agreed, print)
    return generate(Options(what=str(what), prompts=("a b c",), trust=trust, agreed=agreed))


def test_code_that_its_spec_makes_runs(
    pulled: Callable[..., Path], start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    run = pulled()
    assert "its code is exactly the output of xlmc for its spec" in capsys.readouterr().out
    assert xlm_runtime.load(run).generate(["a b"])
    assert generated(run) == 0
    assert evaluated(start, run) == 0
    assert "the code is exactly the output of xlmc for its spec" in capsys.readouterr().out
    assert not list(run.rglob("__pycache__"))


def test_a_name_on_the_hub_is_pulled_once(
    start: Start,
    pushed: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shelf = Shelf(tmp_path / "hub")
    shelf.use(monkeypatch)
    shelf.repos["tester/mine"] = dict(pushed)
    canary = tmp_path / "canary"
    altered(canary)(other := dict(pushed))
    agree(other)
    shelf.repos["tester/other"] = other
    assert generated("tester/mine") == 0
    assert "run runs/mdlm/toy_reverse/mine, pulled from tester/mine, com" in capsys.readouterr().err
    assert generated("tester/mine") == 0
    assert "pulled from tester/mine before" in capsys.readouterr().err
    for _ in range(2):
        assert generated("tester/other") == 2
        assert "none of its code has been executed" in capsys.readouterr().err
    assert not canary.exists()
    assert generated("tester/other", agreed=True) == 0
    assert canary.exists()


def test_other_code_runs_only_with_consent(
    pulled: Callable[..., Path], start: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    canary = tmp_path / "canary"
    run = pulled(altered(canary))
    assert "not what this xlmc makes of its spec: MANIFEST.json" not in capsys.readouterr().out
    for attempt in (
        lambda: evaluated(start, run),
        lambda: verify(
            run / "package", Settings(1, 256, (1,), 8), trust=command.trust(False, print)
        ),
        lambda: generated(run),
        lambda: start(package=run / "package", job="train", sets=SMALL, name="new"),
        lambda: start(package=run / "package", job="push", run_dir=run, repo="tester/again"),
    ):
        assert attempt() in (2, 4)
        said = capsys.readouterr().err
        assert "came from tester/mine" in said
        assert "none of its code has been executed: read it, then allow it with --trust" in said
    for load in (
        lambda: xlm_runtime.load(run),
        lambda: xlm_runtime.pretrained(run / "package", "nobody/nothing"),
    ):
        with pytest.raises(UsageError, match="came from tester/mine"):
            load()
    assert not canary.exists()
    link = tmp_path / "link"
    link.symlink_to((run / "package").absolute())
    assert start(package=link, job="prepare") == 2
    assert not canary.exists()
    assert evaluated(start, run, agreed=True) == 0
    assert canary.exists()
    assert evaluated(start, run) == 0  # agreed to once, and these bytes only
    assert xlm_runtime.load(run).generate(["a b"])


def test_an_edit_after_consent_asks_again(
    pulled: Callable[..., Path], start: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    canary, other = tmp_path / "canary", tmp_path / "other"
    run = pulled(altered(canary))
    assert evaluated(start, run, agreed=True) == 0
    file = run / "package/noise.py"
    file.write_text(file.read_text() + CANARY.format(str(other)))
    capsys.readouterr()
    assert evaluated(start, run) == 2
    assert "these files differ: noise.py\n" in capsys.readouterr().err
    assert evaluated(start, run, force=True) == 2
    assert "and was altered since" in capsys.readouterr().err
    with pytest.raises(UsageError, match=r"these files differ: noise\.py"):
        xlm_runtime.load(run)
    assert not other.exists()
    assert evaluated(start, run, agreed=True, force=True) == 0
    assert other.exists()


def test_consent_to_code_of_a_run_at_work_changes_nothing_of_it(
    pulled: Callable[..., Path], start: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = pulled(altered(tmp_path / "canary"))
    before = (run / "pulled.json").read_bytes()
    push = {"package": run / "package", "job": "push", "run_dir": run, "repo": "tester/again"}
    with alone(Run(run)):
        assert evaluated(start, run, agreed=True) == 2
        assert start(**push, trust=command.trust(True, print)) == 2
        assert "another process works on" in capsys.readouterr().err
        assert xlm_runtime.load(run, trust=True).generate(["a b"])  # which only reads
        assert (run / "pulled.json").read_bytes() == before
    assert start(**push, trust=command.trust(True, print)) == 4  # the canary names a folder
    assert (run / "pulled.json").read_bytes() != before
    assert evaluated(start, run) == 0


def test_a_pull_of_the_same_commit_ends_well_again(
    pulled: Callable[..., Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a kill behind its last rename; nothing of another run is ever replaced."""
    run = pulled()
    before = {file: file.read_bytes() for file in run.rglob("*") if file.is_file()}
    taken = share.hub.taken
    commit = json.loads((run / "pulled.json").read_text())["commit"]
    for again, code in ((commit, 0), ("0" * 40, 2)):
        shutil.copytree(next(Path("hub").glob("commit*")), again)
        came = Path(again)
        monkeypatch.setattr(share.hub, "taken", lambda *one, came=came: (taken(*one)[0], came))
        assert share.pull("tester/mine", run, judged) == code
    assert "is there already" in capsys.readouterr().err
    monkeypatch.setattr(share.hub, "taken", lambda *_: ([], Path(commit)))
    assert share.pull("tester/other", run, judged) == 2
    assert {file: file.read_bytes() for file in run.rglob("*") if file.is_file()} == before


def test_a_terminal_is_asked(
    pulled: Callable[..., Path], start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = pulled(altered(tmp_path / "canary"))
    monkeypatch.setattr(command.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(command.sys.stderr, "isatty", lambda: True, raising=False)
    answers = iter([False, True])
    monkeypatch.setattr(command.click, "confirm", lambda *_, **__: next(answers))
    assert evaluated(start, run) == 2
    assert not (tmp_path / "canary").exists()
    assert evaluated(start, run) == 0
    assert evaluated(start, run) == 0
    assert not list(answers)


def test_python_that_a_spec_names_is_not_the_specs(tmp_path: Path) -> None:
    spec = tmp_path / "mdlm.xlm"
    text = SPEC.read_text(encoding="utf-8").replace(
        "backbone  dit ", 'backbone  python "os:system" '
    )
    spec.write_text(text, encoding="utf-8")
    why = judged(compile_spec(spec).package.files)
    assert "the spec names Python of its own, os:system" in why


def test_a_package_built_of_a_file_of_another_name_is_still_its_specs(tmp_path: Path) -> None:
    text = 'family mine "Mine" extends mdlm { }\n'
    (tmp_path / "odd name's.xlm").write_text(text)
    files = dict(compile_spec(tmp_path / "odd name's.xlm").package.files)
    assert judged(files) == ""
    assert "MANIFEST.json differs" in judged({**files, "mine.xlm": files["mine.xlm"] + b"# more\n"})
    assert "extra.py differs" in judged({**files, "extra.py": b""})
    assert "XLM" in judged({**files, "mine.xlm": b"family"})
    del files["mdlm.xlm"]  # a parent is never looked for outside of the package
    assert judged(files)


def test_altered_code_of_a_run_is_refused_before_it_runs(
    start: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Here: a run that nobody pulled."""
    canary = tmp_path / "canary"
    assert start(package=PACKAGE, job="train", sets=SMALL, name="one") == 0
    run = Path("runs/mdlm/toy_reverse/one")
    file = run / "package/loss.py"
    file.write_text(file.read_text() + CANARY.format(str(canary)))
    own = {"package": run / "package"}
    for options in ({"run_dir": run}, {"name": "one"}, {}):
        for job in ("eval", "generate", "push", "train"):
            if job == "train" and not options:
                continue  # another package makes another run
            more = {"repo": "a/b"} if job == "push" else {}
            assert start(**own, job=job, **options, **more) == 2
            assert "these files differ: loss.py\n" in capsys.readouterr().err
    with pytest.raises(UsageError, match=r"these files differ: loss\.py\. None of its code"):
        xlm_runtime.load(run)
    assert not canary.exists()
    facts = json.loads((run / "run.json").read_text())
    write_json(run / "run.json", {k: v for k, v in facts.items() if k != "files"})
    assert start(**own, job="eval", name="one") == 2  # an older run: its manifest knows
    assert "these files differ: loss.py\n" in capsys.readouterr().err
    (run / "package/MANIFEST.json").rename("MANIFEST.json")
    for options in ({"run_dir": run}, {"name": "one"}, {}):
        assert start(**own, job="eval", **options) == 2  # not even to learn the family
        assert "its files differ, and the run has no record of which" in capsys.readouterr().err
    assert not canary.exists()
    assert xlm_runtime.load(run, trust=True)
    assert canary.exists()


def test_a_copy_that_was_lost_is_no_reason_to_run_another(start: Start) -> None:
    assert start(package=PACKAGE, job="train", sets=SMALL, name="one") == 0
    run = Run(Path("runs/mdlm/toy_reverse/one"))
    shutil.rmtree(run.package)
    with pytest.raises(UsageError, match="there is no package at"):
        xlm_runtime.load(run.path)
