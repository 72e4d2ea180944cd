"""Marks behind the names that an author gave, so that no name of the generated code can be one.

The tree is marked when it has been checked. What is made from it holds marked names until a module
is complete; `xlmc.emit.names` then drops each mark, and adds `_` where the plain name is taken.
"""

import re
from collections.abc import Mapping
from typing import Any

import attrs
from attrs import evolve, frozen

from xlmc.syntax import ast
from xlmc.syntax.query import arrows, heads, learned

MARK = "\ua4f8"  # a letter for Python, and in no alphabet that a spec could be written in
_MARK = re.compile(rf"{MARK}\d+")
Given = ast.Param | ast.Choice | ast.Let
Marks = dict[tuple[str, str], str]  # by the kind of what has a name, and the name

# Fields that hold words of the language, whatever else has such a name.
WORDS: set[tuple[type[ast.Node], str]] = {
    (ast.Act, "verb"),
    (ast.Arrow, "origin"),
    (ast.Arrow, "target"),
    (ast.Arrow, "other"),
    (ast.Arrow, "value"),  # over its own argument and the params of its section
    (ast.Arrow, "share"),
    (ast.Arrow, "kept"),
    (ast.Arrow, "events"),
    (ast.Choice, "options"),
    (ast.Divergence, "target"),
    (ast.Head, "at"),
    (ast.Head, "kind"),
    (ast.Insert, "what"),
    (ast.Mean, "over"),
    (ast.Mean, "per"),
    (ast.NoState, "state"),
    (ast.Order, "of"),
    (ast.Overflow, "policy"),
    (ast.Pick, "what"),
    (ast.Reuse, "what"),
    (ast.Start, "state"),
    (ast.Term, "on"),
}


def plain(text: str) -> str:
    """Return a text without marks."""
    return _MARK.sub("", text)


def is_marked(text: str) -> bool:
    """Return whether a text holds a mark."""
    return MARK in text


def marked(family: ast.Family) -> ast.Family:
    """Return the family with a mark behind each name of a param, let, head or survival.

    Params of one name have one mark, whatever decoders they belong to, and so have lets. Decoders
    keep their names: only classes are made of them, ``...Decoder``.
    """
    known: Marks = {}
    survivals = [arrow.survival for arrow in arrows(family)]
    clocks = [one.name for one in learned(family)]
    everywhere = {name: _mark(known, "", name) for name in (*survivals, *heads(family), *clocks)}
    inside = {name: everywhere[name] for name in clocks}
    sections = tuple(_section(section, everywhere, inside, known) for section in family.sections)
    return evolve(family, sections=sections)


def _mark(known: Marks, kind: str, name: str) -> str:
    """Mark a name, with the same mark for the same name of the same kind."""
    return name + known.setdefault((kind, name), f"{MARK}{len(known) + 1}")


def _section(
    section: ast.Section, everywhere: Mapping[str, str], inside: Mapping[str, str], known: Marks
) -> ast.Section:
    """Mark the names in a section; ``inside``: those that formulas of the noise read."""
    if section.kind not in ("noise", "network", "loss", "decoder"):
        return section
    own = {
        entry.name: _mark(known, "let" if isinstance(entry, ast.Let) else "param", entry.name)
        for entry in section.entries
        if isinstance(entry, Given)
    }
    choices = {entry.name for entry in section.entries if isinstance(entry, ast.Choice)}
    marker = _Marker({**everywhere, **own}, choices)
    inner = _Marker({**inside, **own}, choices)
    entries = (
        evolve(
            marker(entry),
            value=inner(entry.value),
            share=inner(entry.share),
            kept=inner(entry.kept),
            events=inner(entry.events),
        )
        if isinstance(entry, ast.Arrow)
        else marker(entry)
        for entry in section.entries
    )
    return evolve(section, entries=tuple(entries))


@frozen
class _Marker:
    names: Mapping[str, str]
    choices: set[str]
    calls: bool = True  # not in conditions: ``zero(gap)``, ``tempered(done, 1)``

    def __call__(self, node: Any) -> Any:
        match node:
            case tuple():
                return tuple(map(self, node))
            case ast.Name(id=name):
                return evolve(node, id=self.names.get(name, name))
            case ast.Backbone() | ast.Amount() | ast.Compare(op="="):
                return node
            case ast.Order(score=score) if score.id not in self.choices:
                return evolve(self._fields(node), score=score)
            case ast.Grid(value=ast.Name()) | ast.Draft(law=ast.Name()):
                return node
            case ast.Draft(law=ast.Call() as call):
                return evolve(node, law=evolve(call, arguments=self(call.arguments)))
            case ast.Grid(value=ast.Call() as call):
                return evolve(node, value=evolve(call, arguments=self(call.arguments)))
            case ast.Guide(value=call):
                options = tuple(o if o.name == "without" else self(o) for o in call.keywords)
                return evolve(node, value=evolve(call, keywords=options))
            case ast.Stop(conditions=conditions):
                return evolve(node, conditions=evolve(self, calls=False)(conditions))
            case ast.Node():
                return self._fields(node)
        return node

    def _fields(self, node: ast.Node) -> Any:
        kept = {"span"} | {name for kind, name in WORDS if isinstance(node, kind)}
        values = {f.name: getattr(node, f.name) for f in attrs.fields(type(node))}
        changed = {name: self(value) for name, value in values.items() if name not in kept}
        match node:
            case ast.Param() | ast.Choice() | ast.Let() | ast.Head():
                changed["name"] = self.names[node.name]
            case ast.Arrow():
                changed["survival"] = self.names[node.survival]
            case ast.Call() if self.calls:
                changed["function"] = self.names.get(node.function, node.function)
        return evolve(node, **changed)
