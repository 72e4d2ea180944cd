"""Shipped specs, changed at random: each by its number, so that every change can be made again."""

import re
from collections.abc import Callable
from pathlib import Path
from random import Random

from attrs import frozen

ROOT = Path(__file__).parents[1]
SPECS = {
    path.stem: path.read_text(encoding="utf-8")
    for path in (*sorted((ROOT / "spec").glob("*.xlm")), ROOT / "examples/own/mixed.xlm")
}
TOKEN = re.compile(r'"[^"\n]*"|#[^\n]*|[A-Za-z_][\w.]*|\d[\d_.]*(?:[eE][+-]?\d+)?|\*\*|->|\S|\n')
NUMBER = re.compile(r"(?<![\w.])\d[\d_.]*(?:[eE][+-]?\d+)?")
WORD = re.compile(r"[A-Za-z_]\w*")
WORDS = sorted({word for text in SPECS.values() for word in WORD.findall(text)})
LINES = sorted({line for text in SPECS.values() for line in text.splitlines() if line.strip()})
EXTREME = (
    *("0", "1", "2", "-1", "0.5", "-0", "0.0", "1e-9", "1e-39", "1e39", "1e-300", "1e300", "1e301"),
    *("1e-301", "1e308", "1e999999999", "9" * 30, "9" * 200, "2147483648", "9223372036854775808"),
    *(
        "18446744073709551616",
        "0.1e1",
        "1_0",
        "00",
        "1.",
        "1e",
        "0x10",
        "3.14159265358979",
        "1 / 0",
    ),
)
EXPRESSIONS = (
    *("({0})", "-({0})", "1 - ({0})", "1 / ({0})", "({0})**({0})", "({0})**64", "({0})**0.5"),
    *("exp({0})", "exp(exp({0}))", "log({0})", "sqrt({0})", "cos(pi * ({0}) / 2)", "tan({0})"),
    *("min({0}, 0.5)", "max({0}, t)", "({0}) * t", "({0}) + s", "({0})**t", "alpha({0})"),
    *("alpha'({0})", "hazard(alpha) * ({0})", "reveal(alpha) * ({0})", "sigma(alpha) * ({0})"),
    *("visible(geometric({0}))", "({0}) * length", "masked / steps_left * ({0})", "count * ({0})"),
)
BYTES = (
    *(b"\x00", b"\x0b", b"\x0c", b"\x1b", b"\x1c", b"\x1d", b"\x1e", b"\x7f", b"\xc2\x85"),
    *(
        b"\xff",
        b"\xfe\xff",
        b"\xef\xbb\xbf",
        b"\xe2\x80\xa8",
        b"\xe2\x80\xae",
        b"\xc3",
        b"\xed\xa0\x80",
    ),
    *(b"\r", b"\r\n", b"\t", b" ", b"\n", b'"', b"#", b"{", b"}", b"(", b")", b";", b"'", b"\\"),
    *("漢".encode(), "\U0001f600".encode(), "e\u0301".encode(), "\u00a0".encode()),
)


@frozen
class Mutant:
    """A changed spec: its number, the kinds of its changes, the spec it was, and its bytes."""

    number: int
    kinds: tuple[str, ...]
    spec: str
    data: bytes


def mutant(number: int, seed: int = 1) -> Mutant:
    """The spec of a number: one to three changes of a shipped one."""
    rng = Random(f"{seed} {number}")
    spec = rng.choice(list(SPECS))
    data, kinds = SPECS[spec].encode(), []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        kind = rng.choice(list(KINDS))
        kinds.append(kind)
        text = data.decode("utf-8", "surrogateescape")
        data = KINDS[kind](text, rng).encode("utf-8", "surrogateescape")
    return Mutant(number, tuple(kinds), spec, data)


def _token(text: str, rng: Random) -> re.Match[str]:
    return rng.choice(list(TOKEN.finditer(text)) or list(re.finditer("$", text)))


def _put(text: str, at: re.Match[str], new: str) -> str:
    return text[: at.start()] + new + text[at.end() :]


def _drop(text: str, rng: Random) -> str:
    return _put(text, _token(text, rng), "")


def _double(text: str, rng: Random) -> str:
    at = _token(text, rng)
    return _put(text, at, f"{at[0]} {at[0]}")


def _swap(text: str, rng: Random) -> str:
    """Two tokens change places, as often as not neighbours."""
    tokens = list(TOKEN.finditer(text))
    if len(tokens) < 2:
        return text
    i = rng.randrange(len(tokens) - 1)
    j = i + 1 if rng.random() < 0.5 else rng.randrange(len(tokens))
    first, last = (tokens[k] for k in sorted((i, j)))
    if first is last:
        return text
    between = text[first.end() : last.start()]
    return text[: first.start()] + last[0] + between + first[0] + text[last.end() :]


def _number(text: str, rng: Random) -> str:
    found = list(NUMBER.finditer(text))
    return _put(text, rng.choice(found), rng.choice(EXTREME)) if found else text


def _word(text: str, rng: Random) -> str:
    found = list(WORD.finditer(text))
    return _put(text, rng.choice(found), rng.choice(WORDS)) if found else text


def _rename(text: str, rng: Random) -> str:
    """A name becomes another everywhere."""
    words = sorted(set(WORD.findall(text)))
    if not words:
        return text
    old, new = rng.choice(words), rng.choice(WORDS)
    return re.sub(rf"\b{re.escape(old)}\b", new, text)


def _formula(text: str, rng: Random) -> str:
    """A number or a name becomes a formula of itself, at times a deep one."""
    found = list(re.finditer(rf"{NUMBER.pattern}|\b[a-z]\w*\b", text))
    if not found:
        return text
    at = rng.choice(found)
    new = at[0]
    for _ in range(rng.choice((1, 1, 1, 2, 3, 30))):
        new = rng.choice(EXPRESSIONS).replace("{0}", new if len(new) < 4000 else "t")
    return _put(text, at, new)


def _lines(text: str, rng: Random) -> str:
    """A line is moved, doubled or deleted, or comes from another spec."""
    lines = text.split("\n")
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.randrange(4):
        case 0:
            lines.insert(j, lines.pop(i))
        case 1:
            lines.insert(j, lines[i])
        case 2:
            del lines[i]
        case _:
            lines.insert(i, rng.choice(LINES))
    return "\n".join(lines)


def _section(text: str, rng: Random) -> str:
    """A section becomes that of another family."""
    kind = rng.choice(("noise", "network", "loss", "decoder", "collate"))
    here, there = (_block(one, kind) for one in (text, SPECS[rng.choice(list(SPECS))]))
    return _put(text, here, there[0]) if here and there else text


def _block(text: str, kind: str) -> re.Match[str] | None:
    return re.search(rf"(?ms)^  {kind} \{{(?:[^\n]*\}}$|.*?^  \}})", text)


def _entry(text: str, rng: Random) -> str:
    """An entry becomes one of another spec that begins with the same word."""
    lines = text.split("\n")
    i = rng.randrange(len(lines))
    first = WORD.search(lines[i])
    like = [line for line in LINES if first and line.lstrip().startswith(first[0])]
    lines[i] = rng.choice(like or [lines[i]])
    return "\n".join(lines)


def _bytes(text: str, rng: Random) -> str:
    data = text.encode("utf-8", "surrogateescape")
    at = rng.randrange(len(data) + 1)
    new = rng.choice(BYTES) if rng.random() < 0.8 else rng.randbytes(rng.randrange(1, 5))
    cut = at + rng.choice((0, 0, 1, 5))
    data = data[:at] if rng.random() < 0.05 else data[:at] + new + data[cut:]
    return data.decode("utf-8", "surrogateescape")


KINDS: dict[str, Callable[[str, Random], str]] = {
    "a token is deleted": _drop,
    "a token is doubled": _double,
    "two tokens change places": _swap,
    "a number becomes an extreme one": _number,
    "a name becomes another": _word,
    "a name becomes another everywhere": _rename,
    "a part of a formula becomes a formula": _formula,
    "lines are moved": _lines,
    "an entry becomes that of another spec": _entry,
    "a section becomes that of another spec": _section,
    "bytes are put in or cut off": _bytes,
}
