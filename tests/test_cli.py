"""The command line: exit codes, streams, and one clear line for every mistake."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from toy_compiler import TEXTS, save, toy

from xlmc.commands import cli
from xlmc.commands.cli import execute
from xlmc.syntax.parse import parse, read_source

__all__ = ["toy"]

ROOT = Path(__file__).parent.parent
COMMANDS = [
    "build", "check", "fmt", "expand", "explain", "doc", "verify",
    "run", "generate", "chat", "lm-eval", "runs", "compare", "report", "pull", "tasks",
]  # fmt: skip


def xlmc(*arguments: str, **more) -> subprocess.CompletedProcess[str]:
    """A process of its own, as a user starts it."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'runtime'}"}
    return subprocess.run(
        [sys.executable, "-m", "xlmc", *arguments],
        env={**environment, **more.pop("env", {})},
        capture_output=True,
        text=True,
        check=False,
        **more,
    )


def names(folder: str) -> set[str]:
    return {path.name for path in Path(folder).iterdir()}


def said(capsys) -> tuple[str, str]:
    captured = capsys.readouterr()
    return captured.out, captured.err


# Help


def test_help_lists_the_commands_in_the_order_of_their_use() -> None:
    done = xlmc("--help")
    assert (done.returncode, done.stderr) == (0, "")
    listing = done.stdout.partition("Commands:")[2]
    assert [line.split()[0] for line in listing.strip().splitlines()] == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_help_keeps_its_marks_for_itself(command: str, capsys) -> None:
    """`\\b` before lines that click must not join is a character, and is not shown."""
    assert execute([command, "--help"]) == 0
    assert "\\b" not in capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command, capsys) -> None:
    assert execute([command, "--help"]) == 0
    out, err = said(capsys)
    assert out.startswith(f"Usage: xlmc {command} ")
    assert not err


def test_the_version(capsys) -> None:
    assert execute(["--version"]) == 0
    assert said(capsys)[0].startswith("xlmc 0.")


def test_completion_is_that_of_click() -> None:
    done = xlmc(env={"_XLMC_COMPLETE": "bash_complete", "COMP_WORDS": "xlmc bu", "COMP_CWORD": "1"})
    assert done.stdout.strip() == "plain,build"


# Build


def test_build_says_what_it_did(toy, capsys) -> None:
    assert execute(["build", "toy.xlm"]) == 0
    assert said(capsys) == ("out/toy: 4 files written\n", "")
    assert names("out/toy") == {*TEXTS, "toy.xlm", "MANIFEST.json"}
    save("toy.xlm", {"__init__.py": TEXTS["__init__.py"]})
    assert execute(["build", "toy.xlm"]) == 0
    assert said(capsys) == ("out/toy: 2 files written, 1 file removed\n", "")


def test_several_specs_one_of_them_twice(toy, capsys) -> None:
    save("other.xlm", TEXTS)
    assert execute(["build", "toy.xlm", "other.xlm", "toy.xlm"]) == 0
    out, _ = said(capsys)
    assert [line.partition(":")[0] for line in out.splitlines()] == ["out/toy", "out/other"]


def test_two_specs_of_one_family_are_refused_before_anything_is_written(toy, capsys) -> None:
    Path("deep").mkdir()
    save("deep/toy.xlm", {**TEXTS, "loss.py": "x = 2\n"})
    assert execute(["build", "toy.xlm", "deep/toy.xlm"]) == 2
    assert "toy.xlm and deep/toy.xlm both describe the family 'toy'" in said(capsys)[1]
    assert not Path("out").exists()
    assert execute(["build", "toy.xlm"]) == 0
    assert execute(["build", "toy.xlm", "deep/toy.xlm"]) == 2  # the first is up to date
    assert execute(["build", "--check", "toy.xlm", "deep/toy.xlm"]) == 2


def test_an_edited_package_is_refused(toy, capsys) -> None:
    assert execute(["build", "toy.xlm"]) == 0
    Path("out/toy/loss.py").write_text("x = 2\n")
    assert execute(["build", "toy.xlm"]) == 3
    assert said(capsys)[1].startswith("error: out/toy was edited by hand: loss.py\n")
    assert execute(["build", "toy.xlm", "--force"]) == 0
    assert Path("out/toy/loss.py").read_text() == "x = 1\n"


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["build"], 2, "Missing argument 'SPEC...'"),
        (["build", "nowhere.xlm"], 2, "File 'nowhere.xlm' does not exist"),
        (["build", "."], 2, "File '.' is a directory"),
        (["build", "toy.xlm", "--out", "toy.xlm"], 2, "Directory 'toy.xlm' is a file"),
        (["build", "toy.xlm", "--out", "toy.xlm/deep"], 4, "cannot write toy.xlm/deep/toy: "),
        (["build", "toy.xlm", "--print", "tokens"], 2, "'tokens' is not one of 'ast', 'ir'"),
        (["biuld", "toy.xlm"], 2, "No such command 'biuld'"),
        (["check"], 2, "Missing argument 'SPEC...'"),
        (["fmt", "nowhere.xlm"], 2, "File 'nowhere.xlm' does not exist"),
        (["expand", "."], 2, "File '.' is a directory"),
        (["explain", "XLM999"], 2, "there is no message XLM999"),
        (["run"], 2, "Missing argument 'PKG'"),
        (["run", "out/toy"], 2, "Missing option '--task'"),
        (["run", "out/toy", "--task", "a", "--job", "dance"], 2, "'dance' is not one of"),
        (["run", "out/toy", "--task", "a", "--seed", "x"], 2, "'x' is not a valid integer"),
    ],
)
def test_a_mistake_in_the_command_is_one_clear_line(toy, capsys, arguments, code, line) -> None:
    assert execute(arguments) == code
    out, err = said(capsys)
    assert line in err
    assert not out
    assert "Traceback" not in err


def test_a_device_is_no_spec(capsys) -> None:
    assert execute(["check", "/dev/zero"]) == 4  # reading it would never end
    assert "/dev/zero: is not a regular file" in said(capsys)[1]


def test_a_spec_that_cannot_be_read_is_one_clear_line(toy, capsys, monkeypatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(toy, "compile_spec", refuse)  # a test that runs as root may read anything
    assert execute(["build", "toy.xlm"]) == 4
    assert said(capsys)[1] == "error: toy.xlm: Permission denied\n"


# Bugs and interrupts


def break_down(_: Path) -> None:
    raise ZeroDivisionError("of all\nthings")


def test_a_bug_is_confessed_without_a_traceback(toy, capsys, monkeypatch) -> None:
    monkeypatch.delenv(cli.TRACEBACK, raising=False)
    monkeypatch.setattr(toy, "compile_spec", break_down)
    assert execute(["build", "toy.xlm"]) == 70
    _, err = said(capsys)
    assert err.startswith("bug in xlmc: ZeroDivisionError: of all things\n")
    assert "report" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("way", ["option", "environment"])
def test_a_traceback_is_shown_to_who_asks(toy, capsys, monkeypatch, way) -> None:
    monkeypatch.setenv(cli.TRACEBACK, "1" if way == "environment" else "")
    monkeypatch.setattr(toy, "compile_spec", break_down)
    option = ["--traceback"] if way == "option" else []
    assert execute([*option, "build", "toy.xlm"]) == 70
    assert "in break_down" in said(capsys)[1]


def test_an_interrupt_is_no_bug(toy, capsys, monkeypatch) -> None:
    def interrupt(_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(toy, "compile_spec", interrupt)
    assert execute(["build", "toy.xlm"]) == 130
    assert said(capsys)[1].strip() == "interrupted"


def test_a_closed_pipe_is_quiet() -> None:
    command = f"{sys.executable} -m xlmc explain; echo $? >&2"
    done = subprocess.run(
        ["bash", "-c", f"({command}) | true"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.split() in (["0"], [str(128 + signal.SIGPIPE)])


# Specs with errors


@pytest.fixture
def broken(tmp_path, monkeypatch) -> list[str]:
    """Two specs with a syntax error each."""
    monkeypatch.chdir(tmp_path)
    Path("one.xlm").write_text("famly one { }\n")
    Path("two.xlm").write_text("family two {\n")
    return ["one.xlm", "two.xlm"]


@pytest.mark.parametrize("command", [["check"], ["build"], ["build", "--check"], ["fmt"]])
def test_every_spec_with_errors_is_reported(broken, capsys, command) -> None:
    assert execute([*command, *broken]) == 1
    out, err = said(capsys)
    assert not out
    assert "one.xlm:1:1" in err
    assert "two.xlm:" in err
    assert names(".") == set(broken)


def test_messages_as_json(broken, capsys) -> None:
    assert execute(["check", *broken, "--format", "json"]) == 1
    records = json.loads(said(capsys)[1])
    assert {record["file"] for record in records} == set(broken)


def test_messages_for_workflows(broken, capsys) -> None:
    assert execute(["check", *broken, "--format", "github"]) == 1
    lines = said(capsys)[1].splitlines()
    assert all(line.startswith("::error file=") for line in lines)


def test_a_good_spec_beside_a_bad_one_is_not_built(broken, toy, capsys) -> None:
    """Either all specs of a command become packages, or none does."""
    good = toy.compile_spec

    def compile_spec(path: Path):
        return good(path) if path.name == "toy.xlm" else parse(read_source("one.xlm", b""))

    toy.compile_spec = compile_spec
    assert execute(["build", "toy.xlm", "one.xlm"]) == 1
    assert "one.xlm:1:1" in said(capsys)[1]
    assert not Path("out").exists()


# Format

CROOKED = b"# Doc.\r\nfamily  crooked   { }   # beside\r\n"


def test_fmt_lays_out_in_place_and_keeps_permissions(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    spec = Path("one.xlm")
    spec.write_bytes(CROOKED)
    spec.chmod(0o640)
    assert execute(["fmt", "one.xlm"]) == 0
    assert said(capsys) == ("one.xlm: laid out anew\n", "")
    assert spec.read_bytes().startswith(b"# Doc.\nfamily crooked {")
    assert spec.stat().st_mode & 0o777 == 0o640
    assert execute(["fmt", "one.xlm"]) == 0
    assert execute(["fmt", "one.xlm", "--check"]) == 0
    assert execute(["fmt", "one.xlm", "--diff"]) == 0
    assert said(capsys) == ("", "")
    assert names(".") == {"one.xlm"}


def test_fmt_follows_a_link(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("real.xlm").write_bytes(CROOKED)
    Path("link.xlm").symlink_to("real.xlm")
    assert execute(["fmt", "link.xlm"]) == 0
    assert Path("link.xlm").is_symlink()
    assert Path("real.xlm").read_bytes() != CROOKED


def test_fmt_check_and_diff_write_nothing(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    Path("one.xlm").write_bytes(CROOKED)
    assert execute(["fmt", "one.xlm", "--check"]) == 3
    assert said(capsys) == ("", "one.xlm: would be laid out anew\n")
    assert execute(["fmt", "one.xlm", "--diff"]) == 3
    out, err = said(capsys)
    assert "-family  crooked   { }   # beside\r\n" in out
    assert "+++ one.xlm (laid out)\n" in out
    assert not err
    assert Path("one.xlm").read_bytes() == CROOKED


# Explain


def test_explain_lists_every_code_once(capsys) -> None:
    assert execute(["explain"]) == 0
    codes = [line.split()[0] for line in said(capsys)[0].splitlines()]
    assert codes == sorted(set(codes))
    assert all(code.startswith("XLM") for code in codes)


def test_explain_tells_all_about_a_message(capsys) -> None:
    assert execute(["explain", "xlm003"]) == 0
    out, _ = said(capsys)
    assert out.startswith("XLM003: A file with nothing but blanks and comments.\n\n")
    assert "error[XLM003]: this spec is empty\n" in out
