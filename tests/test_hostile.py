"""A spec is data: no text of it becomes code, whatever it holds."""

import ast
import json
from pathlib import Path

import pytest
from families.compiled import rendered
from families.texts import GONE, MASK
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from xlmc.compiler import compile_spec
from xlmc.diagnostics.diagnostic import SpecErrors
from xlmc.emit.escape import comment, docstring, literal_text, raw_docstring
from xlmc.emit.render import render
from xlmc.lower.family import lower
from xlmc.resolve.defaults import complete
from xlmc.resolve.inherit import flatten
from xlmc.syntax.marks import marked
from xlmc.syntax.parse import parse, read_source

CODE = "import os; os.system('echo') #"
HOSTILE = (
    "plain",
    "'" * 3,
    "'\\'",
    "\\",
    "ends in a backslash \\",
    f"\\n{CODE}",
    f"'''\\n{CODE}",
    "{{ 7 * 7 }} {% raw %} {# note #} ${x} %s {0} {name}",
    "\\u2028 \\x00 \\N{BULLET} \\",
    "#" * 3,
    "x" * 5000,
    "word " * 800,
    "na\u00efve caf\u00e9 \u6f22\u5b57 \U0001f600 e\u0301\u0301",
    "`rst` |role| *star* ..\\ math:: **",
    ")]}',]) + __import__(os) + ([{('",
    "%(name)s %d %",
    "</script><!-- -->",
    "noqa: F821 type: ignore fmt: off coding: utf-7",
)
INVISIBLE = ("\u2028", "\u2029", "\x85", "\x0b", "\x00", "\x1b[31m", "\u202e", "\u200f", "\ufeff")
BAD_PATHS = (
    "os",
    "os:",
    ":system",
    "os.system",
    "os:system()",
    "os:system\\",
    "os :system",
    "os: system",
    "os;import sys:x",
    "..os:system",
    "os.:system",
    "os:system # x",
    "os:sys tem",
    "class:def",
    "os.path:lambda",
    "my-package:name",
    "\u00f6s:system",
    "a" * 10 + ".b:c.d",
    "(os):system",
    "",
)


def files(text: str, name: str = "covered.xlm") -> dict[str, str]:
    """The files of a spec's package, not laid out by black."""
    source = read_source(name, text.encode())
    family = complete(flatten(parse(source), lambda _: None))
    return render(lower(marked(family)))


class _Blank(ast.NodeTransformer):
    """Takes every text and number out of a tree."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant("")

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return self.generic_visit(node)


def bones(text: str) -> str:
    """What a module does: its tree without texts, the pieces of long ones joined."""
    return ast.dump(_Blank().visit(ast.parse(text)))


def harmless(text: str, base: str = MASK, name: str = "covered.xlm") -> None:
    """A spec with odd texts does what the plain one does."""
    plain, odd = files(base), files(text, name)
    assert plain.keys() == odd.keys()
    for file in plain:
        assert bones(odd[file]) == bones(plain[file]), file
        assert odd[file].count("\n# ") == plain[file].count("\n# ")
        compile(odd[file], file, "exec")


@pytest.mark.many
@pytest.mark.parametrize("base", [MASK, GONE], ids=["mask", "gone"])
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_texts_stay_texts(base: str, text: str) -> None:
    title = base.split('"')[1]
    citation, arxiv = base.split('"')[3], base.split('"')[5]
    odd = base.replace(f'"{title}"', f'"{text}"', 1)
    odd = odd.replace(f'"{citation}" arxiv "{arxiv}"', f'"{text}" arxiv "{text}"', 1)
    assert odd.count(text) >= 3
    harmless(odd, base)


@pytest.mark.many
@pytest.mark.parametrize("text", [*HOSTILE, '"""', '""" + x + """', f'"\n{CODE}'.split("\n")[0]])
def test_the_comment_above_a_family_stays_one(text: str) -> None:
    body = MASK[MASK.index("family") :]
    harmless(f"# {text}\n#\n# {text} {text}\n{body}", MASK)


@pytest.mark.many
@pytest.mark.parametrize("text", [*HOSTILE[:12], "a\nb", "a\rimport os", "\u2028import os\u2028"])
def test_the_name_of_the_file_stays_a_comment(text: str) -> None:
    harmless(MASK, MASK, f"dir/{text[:200]}.xlm".replace("\\", "_"))


@pytest.mark.parametrize("character", INVISIBLE, ids=ascii)
def test_invisible_characters_are_refused(character: str) -> None:
    with pytest.raises(SpecErrors) as caught:
        files(MASK.replace("Covered words", f"Covered{character}words"))
    assert [type(one).__name__ for one in caught.value.diagnostics]


@given(st.text(st.characters(exclude_characters='"\n\r', codec="utf-8"), max_size=60))
@settings(
    max_examples=25,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    deadline=None,
    derandomize=True,
)
def test_any_title_is_refused_or_stays_a_text(text: str) -> None:
    odd = MASK.replace("Covered words", text, 1)
    try:
        made = files(odd)
    except SpecErrors:
        return
    plain = files(MASK)
    for file in ("__init__.py", "family.py"):
        assert bones(made[file]) == bones(plain[file])


def test_a_title_arrives_as_it_was_written() -> None:
    title = "it's \\ {{ 1 }} \\n # odd"
    made = files(MASK.replace("Covered words", title, 1))
    family = next(
        node
        for node in ast.walk(ast.parse(made["family.py"]))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Family"
    )
    found = {k.arg: k.value for k in family.keywords}
    assert ast.literal_eval(found["title"]) == title
    assert title in str(ast.get_docstring(ast.parse(made["__init__.py"])))


@pytest.mark.parametrize(
    "number",
    [
        "0x10",
        "1_000_000_000_000",
        "007",
        "1e308",
        "1e22",
        "1e-308",
        "00.5",
        "5e-324",
        "0.1e1",
        "1E5",
    ],
)
def test_numbers_stay_numbers(number: str) -> None:
    odd = MASK.replace("warmup 2500", f"warmup 2500; weight_decay {number}")
    try:
        made = files(odd)
    except SpecErrors:
        assert number in ("0x10", "1e-308", "5e-324", "1e308", "1e22", "1_000_000_000_000")
        return
    values = [
        n.value for n in ast.walk(ast.parse(made["family.py"])) if isinstance(n, ast.Constant)
    ]
    assert float(number) in [value for value in values if isinstance(value, int | float)]


@pytest.mark.parametrize("path", BAD_PATHS, ids=ascii)
def test_paths_to_python_that_are_none_are_refused(path: str) -> None:
    text = MASK.replace("backbone  dit", f'backbone  python "{path}"')
    with pytest.raises(SpecErrors) as caught:
        rendered(text)
    assert "WrongPath" in {type(one).__name__ for one in caught.value.diagnostics}


def test_building_imports_nothing_that_a_spec_names(tmp_path: Path) -> None:
    (tmp_path / "trap.py").write_text("raise SystemExit('imported')\n")
    text = MASK.replace("backbone  dit", 'backbone  python "trap.module:Net"')
    spec = tmp_path / "covered.xlm"
    spec.write_text(text, encoding="utf-8")
    made = compile_spec(spec).package.files
    assert b"from trap.module import Net as Backbone" in made["network.py"]


def test_a_whole_package_of_odd_texts_compiles(tmp_path: Path) -> None:
    """Through black, and into the manifest."""
    odd = MASK
    for i, word in enumerate((MASK.split('"')[1], MASK.split('"')[3], MASK.split('"')[5])):
        odd = odd.replace(f'"{word}"', f'"{" ".join(HOSTILE[1 + i : 18 : 3])}"', 1)
    spec = tmp_path / "odd name's \\ {{ }} #.xlm"
    spec.write_text(odd, encoding="utf-8")
    made = compile_spec(spec).package.files
    for file, content in made.items():
        if file.endswith(".py"):
            compile(content, file, "exec")
    assert json.loads(made["MANIFEST.json"])["family"] == "covered"


# The filters themselves


ANYTHING = st.text(max_size=40) | st.sampled_from(
    ['"""', "\\", '\\"""', '"', '""', 'x"', "\r\n", "\u2028", "\x00", "'''", "\\\n"]
)


@given(st.lists(ANYTHING | st.lists(ANYTHING, max_size=3).map(tuple), min_size=1, max_size=4))
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
def test_a_docstring_is_one_literal(parts: list[str | tuple[str, ...]]) -> None:
    text = docstring("Summary.", *parts)
    tree = ast.parse(f"def f():\n    {text.replace(chr(10), chr(10) + '    ')}\n")
    assert len(tree.body) == 1
    assert len(tree.body[0].body) == 1
    assert isinstance(tree.body[0].body[0].value, ast.Constant)


@given(ANYTHING)
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
def test_comments_and_literals_hold_one_line(text: str) -> None:
    assert len(f"# {comment(text)}".splitlines()) == 1
    assert isinstance(ast.literal_eval(literal_text(text)), str)


@given(ANYTHING)
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
def test_a_raw_docstring_holds_or_refuses(text: str) -> None:
    try:
        literal = raw_docstring("Summary.", text)
    except ValueError:
        return
    assert isinstance(ast.literal_eval(literal), str)
