"""Docstrings: an imperative for a function, a noun phrase for all else, and plain words."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = {
    "runtime": ("runtime/xlm_runtime",),
    "compiler": ("xlmc",),
    "packages": ("templates/library", "examples"),
}
# A function begins with one of these; a verb that is missing may be added.
VERBS = """
accept add adjust align allow answer append apply arrange assemble assign attach attend average
begin bind bound break bring build cache cast change check choose clamp clean clear clip close
collect combine commit compare compile complain complete compute concatenate configure connect
construct continue convert copy correct corrupt count cover create crop cut deal decide declare
decode decorate define delete describe detach determine divide download draw drop embed emit empty
encode end ensure enter enumerate equalise erase escape estimate evaluate examine exclude expand
explain extend extract fail feed fence fetch fill filter finish fit fix flatten follow forbid
force forget format freeze gather generate get give group grow guess guide handle hash hide
highlight hold ignore import include indent initialise insert install integrate interpolate invert
iterate join judge keep kill label lay learn leave let limit link list load locate lock lower make
map mark mask match measure merge mix move multiply name normalise note number offer omit open
order overlay pack pad pair parse part pass patch perform permit pick place plan point prepare
print produce project propose protect provide push put query raise rank rate read rebuild record
recover reduce refer refresh refuse register reject release remove rename render renew reorder
repeat replace report request require rescale reserve reset resolve restart restore restrict retry
return reuse reveal reverse rewrite rotate round run sample save scale scan score seal seed select
send separate set shape share shift shorten show shuffle silence simplify simulate skip solve sort
spell split stack start state step stop store strip substitute subtract suggest sum suppress
suspend swap switch take test track train transform translate trim truncate try uncover undo
unescape unpack update use validate verify visit wait walk warn watch weigh weight work wrap write
yield
"""
# Verbs that are nouns, too: an object must follow, or it may be a noun ("Answer to a row").
NOUNS = """
answer change cover cut list map mark match measure name note number offer order part place plan
point project rank rate request sample scale score shape share shift sort stack state step sum test
transform use visit weight
"""
NOUN = re.compile(r"\w+,? (of|is|are)\b")  # "Number of steps": a noun, whatever it looks like
LOOSE = re.compile(
    r"\w+([.,:]|$| (after|at|before|behind|between|by|for|from|in|on|over|per|that|to|under|which|"
    r"with|without)\b)"
)
NAMED = re.compile(r"`+[^`]+`+: ")  # "`word`: its meaning"
# No docstring begins with these: a question is no description.
QUESTIONS = {"what", "whether", "which", "how", "those", "who", "when", "whenever", "why", "where"}
# Words with neither the field's nor a programmer's meaning in almost every use of theirs.
EMPTY = re.compile(
    r"\b(told|tells?|asked|asks?|said|says?|found|stands?|standing|going|goes|blind|led|worth|"
    r"turns?|turned|called|matters?)\b",
    re.IGNORECASE,
)
QUOTED = re.compile(r"(`+)[^`]+\1")  # a name of the code or a word of the language

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def documented(path: Path) -> Iterator[tuple[Documented, str]]:
    """Yield what has a docstring in a file, and the docstring."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, Documented) and (text := ast.get_docstring(node)):
            yield node, text


def is_function(node: Documented) -> bool:
    """Return whether a node is a function, and no property: a noun phrase describes those."""
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not any(
        ast.unparse(decorator).split(".")[-1] in {"property", "cached_property"}
        for decorator in node.decorator_list
    )


def is_imperative(text: str) -> bool:
    """Return whether a docstring begins with a verb: unquoted, and no noun of the same letters."""
    first = text.split()[0].rstrip(".,:").lower()
    noun = NOUN.match(text) or (first in NOUNS.split() and LOOSE.match(text))
    return first in VERBS.split() and not noun


def faults(node: Documented, text: str) -> Iterator[str]:
    """Yield what is wrong with a docstring."""
    plain = NAMED.sub("", text, count=1) if NAMED.match(text) else text
    first = re.sub(r"\W", "", plain.split()[0]).lower()
    if first in QUESTIONS:
        yield "begins with a question word"
    elif is_function(node) and not is_imperative(text):
        yield f"begins with `{first}`, no imperative (a verb that is missing joins VERBS)"
    for word in EMPTY.findall(QUOTED.sub("", text)):
        yield f"uses `{word}`: choose a word of the field or of programming"


def offenders(*folders: str) -> list[str]:
    """Return the docstrings with faults below some folders: file, line, fault, first line."""
    seen, bad = set(), []
    for path in sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py")):
        for node, text in documented(path):
            if (key := (type(node), getattr(node, "name", ""), text)) in seen:
                continue  # packages share the library's files
            seen.add(key)
            where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"
            bad += [f"{where}: {fault}: {text.splitlines()[0]}" for fault in faults(node, text)]
    return bad


@pytest.mark.parametrize("room", ROOMS)
def test_docstrings_describe(room: str) -> None:
    bad = offenders(*ROOMS[room])
    assert not bad, f"{len(bad)} faults\n" + "\n".join(bad[:200])


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ('def f():\n    """What a run keeps."""', "question"),
        ('def f():\n    """Returns a run."""', "imperative"),
        ('def f():\n    """The run."""', "imperative"),
        ('class C:\n    """How a run ends."""', "question"),
        ('"""Those that run."""', "question"),
        ('def f():\n    """`encode` of a text."""', "imperative"),
        ('def f():\n    """Answer to a row."""', "imperative"),
        ('def f():\n    """State."""', "imperative"),
        ('"""`xlmc run`: what a command means."""', "question"),
        ('class C:\n    """A network that is told the time."""', "`told`"),
        ('def f():\n    """Return `found`.\n\n    It is asked once."""', "`asked`"),
    ],
)
def test_faults_are_seen(code: str, fault: str) -> None:
    tree = ast.parse(code)
    node = tree if ast.get_docstring(tree) else tree.body[0]
    (only,) = faults(node, ast.get_docstring(node))
    assert fault in only
