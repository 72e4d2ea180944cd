"""`xlmc doc`: the table of families, and the file that holds it."""

from pathlib import Path

import pytest

from xlmc.commands.cli import execute
from xlmc.commands.pages.table import BEGIN, END, inserted

ROOT = Path(__file__).parent.parent
SPECS = [str(path) for path in sorted((ROOT / "spec").glob("*.xlm"))]


def test_the_table_has_a_row_for_each_spec(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["doc", *SPECS]) == 0
    header, rule, *rows = capsys.readouterr().out.splitlines()
    cells = header.count("|")
    assert [row.count("|") - row.count(r"\|") for row in (rule, *rows)] == [cells] * (1 + len(rows))
    assert [row.split("**")[1] for row in rows] == [Path(spec).stem for spec in SPECS]
    claims = [row.rsplit("|", 2)[1].strip().partition("<br>") for row in rows]
    assert all(value in ("tight", "bound", "none") for value, _, _ in claims)
    given = {Path(spec).stem: said for spec, (_, _, said) in zip(SPECS, claims, strict=True)}
    assert given["mdlm"] == given["dream"] == "text, infill: given the length"
    assert given["arlm"] == given["ilm"] == given["flexmdm"] == ""


def test_a_title_is_no_markdown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = tmp_path / "hostile.xlm"
    spec.write_text(
        'family hostile "a | b <script> `c` **d**" extends mdlm {\n'
        '  paper "[x](y)" arxiv "1) <img>"\n}\n',
        encoding="utf-8",
    )
    assert execute(["doc", str(spec)]) == 0
    row = capsys.readouterr().out.splitlines()[-1]
    assert r"a \| b \<script\> \`c\` \*\*d\*\*" in row
    assert r"[\[x\](y)](https://arxiv.org/abs/1img)" in row


def test_a_file_keeps_all_but_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    into = ["doc", SPECS[0], "--into", str(page)]
    assert execute([*into, "--check"]) == 3
    assert "old" in page.read_text(encoding="utf-8")
    assert execute(into) == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# Before\n{BEGIN}\n| family |")
    assert text.endswith(f"{END}\nafter\n")
    assert "old" not in text
    assert execute([*into, "--check"]) == 0
    capsys.readouterr()


@pytest.mark.parametrize("text", ["", BEGIN, f"{END} {BEGIN}", f"{BEGIN} {END} {BEGIN} {END}"])
def test_a_file_without_a_place_for_the_table_is_left_alone(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert inserted(text, "table") is None
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    assert execute(["doc", SPECS[0], "--into", str(page)]) == 2
    assert "has no place for the page" in capsys.readouterr().err
    assert page.read_text(encoding="utf-8") == text


def test_a_check_needs_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["doc", SPECS[0], "--check"]) == 2
    assert "--into FILE" in capsys.readouterr().err


def test_a_weight_that_hardly_varies_is_named_as_what_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for cap, said in (("1", " (1 for nearly every t at cap = 1)"), ("100", "")):
        spec = tmp_path / "capped.xlm"
        spec.write_text(
            f'family capped "Capped" extends flexmdm {{ loss {{ param cap : Scale = {cap} }} }}\n',
            encoding="utf-8",
        )
        assert execute(["doc", str(spec)]) == 0
        row = capsys.readouterr().out.splitlines()[-1]
        assert f"`gap : poisson(gone) weight min(bound, cap)`{said} |" in row
