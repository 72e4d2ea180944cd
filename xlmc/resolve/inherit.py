"""Merging of a family with its parents by `extends`, `replace` and `drop`."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import TypeVar

from attrs import evolve

from xlmc.diagnostics.diagnostic import Diagnostic, Related, SpecErrors, suggest
from xlmc.diagnostics.semantic_errors import UnknownName
from xlmc.diagnostics.source import Source
from xlmc.diagnostics.syntax_errors import (
    ChainTooLong,
    ExtendsInCircle,
    ExtendsItself,
    NeedsParent,
    NothingToDrop,
    NothingToReplace,
    OtherFamily,
    SharedByNone,
    UnknownParent,
)
from xlmc.resolve.duplicates import called, duplicates, key
from xlmc.syntax import ast, query
from xlmc.syntax.parse import parse
from xlmc.syntax.vocabulary import listing
from xlmc.words.slots import verbs

Find = Callable[[str], Source | None]
_E = TypeVar("_E", bound=ast.Node)
_LONGEST = 8  # families in a chain of parents


def flatten(family: ast.Family, find: Find, known: Iterable[str] = ()) -> ast.Family:
    """Return the family with everything that it inherits, and without a parent.

    ``find`` gives the source of a family by its name; ``known`` are names to suggest for a
    mistyped one. Decoders stay separate: a `drop` in a named decoder that removes an entry of the
    default one is kept in it, for the function that overlays the two.

    Raises:
        SpecErrors: for mistakes of `extends`, `drop` and `replace`, for repetitions, and for
            syntax errors of a parent.
    """
    chain = lineage(family, find, known)
    problems = [p for one in chain for p in duplicates(one)]
    flat = None
    for one in reversed(chain):
        flat = _Merger(flat, one, problems).merge()
    if problems:
        raise SpecErrors(problems)
    assert flat is not None
    return evolve(flat, recipes=tuple(recipe for recipe in flat.recipes if recipe.tasks))


def inherited(found: Iterable[Diagnostic], family: ast.Family) -> list[Diagnostic]:
    """Add to the messages about a parent's text the family that inherits it.

    ``family`` is the family before it was flattened.
    """
    name = family.parent
    if name is None:
        return list(found)
    here = Related(name.span, f"inherited by `{family.name.id}`")
    drops = {e.key: e for s in family.sections for e in s.entries if isinstance(e, ast.Drop)}
    return [
        one if one.span.source == name.span.source else _from_parent(one, here, drops)
        for one in found
    ]


def _from_parent(one: Diagnostic, here: Related, drops: Mapping[str, ast.Drop]) -> Diagnostic:
    """Add to a message about a parent's text the heir, and the drop of a missing name."""
    if isinstance(one, UnknownName) and one.name in drops:
        dropped = Related(drops[one.name].span, "dropped here")
        one = evolve(
            one, related=(*one.related, dropped), hint="change the entries that read it, too"
        )
    return evolve(one, related=(*one.related, here))


def lineage(family: ast.Family, find: Find, known: Iterable[str] = ()) -> list[ast.Family]:
    """Return the family, its parent, the parent's parent and so on.

    Raises:
        SpecErrors: where the chain breaks, runs in a circle or has more than eight families.
    """
    chain = [family]
    while (name := chain[-1].parent) is not None:
        if problem := _broken(chain, name):
            raise SpecErrors([problem])
        source = find(name.id)
        if source is None:
            hint = suggest(name.id, known)
            raise SpecErrors([UnknownParent(span=name.span, name=name.id, hint=hint)])
        parent = parse(source, verbs())
        if parent.name.id != name.id:
            raise SpecErrors([_other(name, parent)])
        chain.append(parent)
    return chain


def _other(name: ast.Name, parent: ast.Family) -> OtherFamily:
    return OtherFamily(
        span=name.span,
        related=(Related(parent.name.span, "the family in that file"),),
        file=parent.span.source.name,
        found=parent.name.id,
        name=name.id,
    )


def _broken(chain: list[ast.Family], parent: ast.Name) -> Diagnostic | None:
    """Return the reason why a chain cannot continue to a parent."""
    names = [one.name.id for one in chain]
    if parent.id == names[-1]:
        return ExtendsItself(span=parent.span, name=parent.id)
    if parent.id in names:
        circle = [*names[names.index(parent.id) :], parent.id]
        links = [one.parent for one in chain[names.index(parent.id) : -1] if one.parent]
        return ExtendsInCircle(
            span=parent.span,
            name=parent.id,
            circle=" → ".join(circle),
            related=tuple(Related(link.span, "which extends this") for link in links),
        )
    if len(chain) >= _LONGEST:
        return ChainTooLong(span=parent.span, limit=_LONGEST)
    return None


class _Merger:
    """Lays a child over its flat parent, if it has one, and collects what does not fit."""

    def __init__(
        self, parent: ast.Family | None, child: ast.Family, problems: list[Diagnostic]
    ) -> None:
        self.parent, self.child, self.problems = parent, child, problems
        self.sections = {called(s): s for s in parent.sections} if parent else {}
        inherited = parent.recipes if parent else ()
        self.recipes = {recipe.title: recipe for recipe in inherited if recipe.tasks}
        self.shared = next((recipe for recipe in inherited if not recipe.tasks), None)

    def merge(self) -> ast.Family:
        """Return the child with all that it inherits; new sections follow those of their kind."""
        for section in sorted(self.child.sections, key=lambda s: s.name is not None):
            if section.drop:
                self._drop_section(section)
            else:
                self.sections[called(section)] = self._section(section)
        self._lay_recipes()
        inherited = self.parent.papers if self.parent else ()
        kinds = list(dict.fromkeys(s.kind for s in self.sections.values()))
        return evolve(
            self.child,
            parent=None,
            papers=tuple(dict.fromkeys((*self.child.papers, *inherited))),
            sections=tuple(sorted(self.sections.values(), key=lambda s: kinds.index(s.kind))),
            recipes=(*([self.shared] if self.shared else []), *self.recipes.values()),
        )

    def _drop_section(self, section: ast.Section) -> None:
        """Remove a named decoder or network of the parent."""
        kind = section.kind
        if self.parent is None:
            hint = f"delete the {kind} itself; `drop` removes a {kind} of a parent"
            self.problems.append(NeedsParent(span=section.span, word="drop", hint=hint))
        elif self.sections.pop(called(section), None) is None:
            sections = [one for one in self.sections.values() if one.kind == kind]
            known = [one.name for one in sections if one.name is not None]
            hint = suggest(section.name or "", known) or (
                f"`{self.parent.name.id}` has {listing([f'`{n}`' for n in known], 'and')}"
                if known
                else ""
            )
            name, place = called(section), self.parent.name.id
            self.problems.append(NothingToDrop(span=section.span, key=name, place=place, hint=hint))

    def _section(self, section: ast.Section) -> ast.Section:
        """Overlay a section on the one it adds to."""
        name = called(section)
        below = self.sections.get(name)
        if section.replace:
            if below is None:
                self._nothing_to_replace(section, name)
            below = None
        named = section.kind == "decoder" and section.name
        default = self.sections.get("decoder") if named else None
        entries = self._entries(
            below.entries if below else (),
            section.entries,
            name,
            default.entries if default else (),
        )
        return evolve(section, entries=entries, replace=False)

    def _lay_recipes(self) -> None:
        """Overlay each recipe: inherited settings, then those shared by all, then its own."""
        own = [evolve(r, tasks=(task,)) for r in self.child.recipes for task in r.tasks]
        common = self.shared.settings if self.shared else ()
        for recipe in own:
            self.recipes.setdefault(recipe.title, evolve(recipe, settings=common, drops=()))
        for shared in (recipe for recipe in self.child.recipes if not recipe.tasks):
            if not self.recipes:
                self.problems.append(SharedByNone(span=shared.span))
            self._unshared(shared)
            below = self.shared or evolve(shared, settings=(), drops=())
            self.shared = self._shared(below, shared)
            self.recipes = {title: self._shared(r, shared) for title, r in self.recipes.items()}
        for recipe in own:
            below = self.recipes[recipe.title]
            self.recipes[recipe.title] = evolve(self._laid(below, recipe), span=recipe.span)

    def _shared(self, below: ast.Recipe, shared: ast.Recipe) -> ast.Recipe:
        """Overlay a recipe with the shared one; it need not have the settings that are dropped."""
        there = {key(setting) for setting in below.settings}
        drops = tuple(drop for drop in shared.drops if drop.key in there)
        return self._laid(below, evolve(shared, drops=drops))

    def _unshared(self, shared: ast.Recipe) -> None:
        """Report a shared drop of a setting that no recipe has."""
        known = {key(setting) for below in self.recipes.values() for setting in below.settings}
        for drop in shared.drops:
            if drop.key not in known:
                self._nothing_to_drop(drop, shared.header, known)

    def _laid(self, below: ast.Recipe, above: ast.Recipe) -> ast.Recipe:
        """Overlay a recipe with the settings and without the drops of another."""
        kept = self._entries(below.settings, above.drops, above.header)
        settings = self._entries(kept, above.settings, above.header)
        only = tuple(s for s in settings if isinstance(s, ast.Setting))
        return evolve(below, settings=only)

    def _entries(
        self,
        below: Sequence[_E],
        above: Sequence[_E],
        place: str,
        default: Sequence[ast.Node] = (),
    ) -> tuple[_E, ...]:
        """Overlay entries by key; ``default`` are those that a named decoder adds to."""
        merged = {key(e): e for e in below}
        beneath = {key(e) for e in default if not isinstance(e, ast.Drop)}
        for entry in above:
            name = key(entry)
            if not isinstance(entry, ast.Drop):
                merged[name] = laid(merged.get(name), entry)
            elif name in beneath:
                merged[name] = entry
            elif name in merged and not isinstance(merged[name], ast.Drop):
                del merged[name]
            else:
                options = {option.name for option in query.told([*below, *above, *default])}
                self._nothing_to_drop(entry, place, {*merged, *beneath}, options)
        return tuple(merged.values())

    def _nothing_to_drop(
        self, entry: ast.Drop, place: str, known: set[str], options: Container[str] = ()
    ) -> None:
        if self.parent is None and not place.startswith("decoder "):
            hint = "delete the entry itself; `drop` removes an entry of a parent"
            self.problems.append(NeedsParent(span=entry.span, word="drop", hint=hint))
            return
        hint = suggest(entry.key, known) or (
            f"`{place}` has {listing([f'`{k}`' for k in sorted(known)], 'and')}" if known else ""
        )
        if entry.key in options:
            hint = f"it is an option of a draw: write a `draw` without `{entry.key}`"
        missing = NothingToDrop(span=entry.span, key=entry.key, place=place, hint=hint)
        self.problems.append(missing)

    def _nothing_to_replace(self, section: ast.Section, name: str) -> None:
        word = evolve(section.span, end=section.span.start + len("replace"))
        if self.parent is None:
            hint = (
                "delete `replace`: it discards a section of a parent, and this family extends none"
            )
            self.problems.append(NeedsParent(span=word, word="replace", hint=hint))
        else:
            parent = self.parent.name.id
            self.problems.append(NothingToReplace(span=word, section=name, parent=parent))


def laid(below: ast.Node | None, above: _E) -> _E:
    """Return an entry that replaces another one, with the parts that it inherits.

    Padding keeps the sides that it does not name, and a step that does not draw the way to draw.
    """
    if isinstance(below, ast.Pad) and isinstance(above, ast.Pad):
        sides = {key(s): s for s in (*below.sides, *above.sides)}
        return evolve(above, sides=tuple(sides.values()))
    if isinstance(below, ast.Step) and isinstance(above, ast.Step):
        return evolve(above, actions=drawn(below.actions, above.actions))
    return above


def drawn(below: tuple[ast.Action, ...], actions: tuple[ast.Action, ...]) -> tuple[ast.Action, ...]:
    """Return actions with the draw of others, if they have none of their own."""
    has_draw = any(isinstance(action, ast.Draw) for action in actions)
    return actions if has_draw else (*actions, *(a for a in below if isinstance(a, ast.Draw)))
