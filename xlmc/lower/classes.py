"""The classes of decoders; parts of several decoders are in shared base classes."""

from collections.abc import Iterable, Iterator, Mapping

from attrs import frozen

from xlmc.calculus.code import CLOCK
from xlmc.lower import ir, parts
from xlmc.lower.methods import pieces
from xlmc.lower.pieces import Piece, closed

LINEAGE = {  # the classes of the library below each of those that decoders are made from
    "Filling": ("Filling", "Decoding"),
    "Extending": ("Extending", "Filling", "Decoding"),
    "Editing": ("Editing", "Decoding"),
    "Substituting": ("Substituting", "Decoding"),
    "Restoring": ("Restoring", "Substituting", "Decoding"),
    "Mending": ("Mending", "Filling", "Decoding"),
    "MendingOnward": ("MendingOnward", "Extending", "Filling", "Decoding"),
    "Revising": ("Revising", "Filling", "Decoding"),
    "Rating": ("Rating", "Revising", "Filling", "Decoding"),
    "Growing": ("Growing", "Decoding"),
    "RevisingGrowing": ("RevisingGrowing", "Growing", "Decoding"),
    "RatingGrowing": ("RatingGrowing", "RevisingGrowing", "Growing", "Decoding"),
    "Measured": ("Measured", "Growing", "Decoding"),
    "Inserting": ("Inserting", "Decoding"),
    "Oracle": ("Oracle", "Inserting", "Decoding"),
    "Appending": ("Appending", "Decoding"),
    "Caching": ("Caching", "Appending", "Decoding"),
    "GuidedCaching": ("GuidedCaching", "Appending", "Decoding"),
}
KINDS: dict[type[parts.Part], tuple[str, str]] = {  # in the order of a class; names by the last
    parts.Begin: ("Beginning", "the draft"),
    parts.Brought: ("Beginning", "the draft"),
    parts.Length: ("Lengthy", "the draw of the length"),
    parts.State: ("Recalled", "the kind of canvas"),
    parts.Ticks: ("Gridded", "the grid of times"),
    parts.Candidates: ("Blockwise", "the blocks"),
    parts.Guided: ("Guided", "guidance"),
    parts.Led: ("Guided", "guidance"),
    parts.Gaps: ("Reading", "the query of the network"),
    parts.Reveal: ("Revealing", "the step"),
    parts.Spread: ("Spreading", "the step"),
    parts.Append: ("Continuing", "the step"),
    parts.Scores: ("Scoring", "the order"),
    parts.Stops: ("Stopping", "the end of a row"),
    parts.Ends: ("Ending", "the end of a text"),
    parts.Pick: ("Picking", "the choice of a gap and a token"),
    parts.Draw: ("Drawing", "the draw of a token"),
    parts.Finish: ("Finishing", "the last step"),
}
NAMED_BY = (  # the first of these that a class has gives it its name
    parts.Reveal,
    parts.Spread,
    parts.Append,
    parts.Pick,
    parts.Guided,
    parts.Led,
    parts.Draw,
    parts.Scores,
    parts.Stops,
    parts.Ends,
    parts.Gaps,
    parts.Ticks,
    parts.State,
    parts.Candidates,
    parts.Finish,
    parts.Length,
    parts.Begin,
    parts.Brought,
)


@frozen
class Group:
    """Pieces that the same decoders have."""

    users: tuple[int, ...]
    pieces: tuple[Piece, ...]
    name: str = ""


def classes(decoders: tuple[ir.Decoder, ...]) -> tuple[parts.Class, ...]:
    """Return the classes of `decoder.py`, each after its bases."""
    hooked = any(one.blocks is not None for one in decoders)
    own = [closed(pieces(one, hooked=hooked)) for one in decoders]
    groups = named(shared(own), decoders)
    bases = [base(one) for one in decoders]
    made = [_mixin(one, groups, bases) for one in groups]
    return (*made, *(_decoder(i, decoders, own, groups, bases) for i in range(len(decoders))))


def clocked(classes: tuple[parts.Class, ...]) -> list[str]:
    """Return the names of the classes that have the clock, inherited or not."""
    found: list[str] = []
    for one in classes:
        own = {field.name for field in one.fields}
        found += [one.name] if CLOCK in own or {*one.bases} & {*found} else []
    return found


def base(decoder: ir.Decoder) -> str:
    """Return the class of the library that a decoder is made from."""
    if decoder.appends:
        guided = "Guided" if decoder.guide is not None else ""
        return f"{guided}Caching" if decoder.reuse else "Appending"
    if decoder.editing is not None:
        return "Editing"
    if decoder.substitute is not None:
        return "Restoring" if decoder.substitute.masks else "Substituting"
    if decoder.keep is not None:
        return "Revising"
    if decoder.several is not None:
        return "Measured" if decoder.oracle else "Growing"
    if decoder.unmask is None:
        return "Oracle" if decoder.oracle else "Inserting"
    if decoder.settles:
        return "MendingOnward" if decoder.extends is not None else "Mending"
    if decoder.extends is not None:
        return "Extending"
    grows = "Growing" if decoder.insert is not None else ""
    if decoder.edits and decoder.timed:
        return ("Rating" if decoder.sure else "Revising") + grows
    return grows or "Filling"


# What decoders share


def shared(own: list[tuple[Piece, ...]]) -> list[Group]:
    """Group the parts that several decoders share by who has them, the most shared first."""
    users = _users(own)
    groups: dict[tuple[int, ...], list[Piece]] = {}
    for piece, those in users.items():
        if len(those) > 1:
            groups.setdefault(those, []).append(piece)
    found = [Group(those, tuple(made)) for those, made in groups.items()]
    kept = [one for one in found if not _scattered(one, found)]
    return sorted(kept, key=lambda one: -len(one.users))


def _users(own: list[tuple[Piece, ...]]) -> dict[Piece, tuple[int, ...]]:
    every = dict.fromkeys(piece for pieces in own for piece in pieces)
    return {one: tuple(i for i, pieces in enumerate(own) if one in pieces) for one in every}


def _scattered(group: Group, groups: list[Group]) -> bool:
    """Return whether a group is of params alone, each of which can be declared where used.

    So it is where no decoder would declare one twice.
    """
    if any(not isinstance(piece.part, parts.Field) for piece in group.pieces):
        return False
    holders = [[other for other in groups if i in other.users] for i in group.users]
    return all(
        sum(piece in one.needs for other in holding for one in other.pieces) <= 1
        for piece in group.pieces
        for holding in holders
    )


def named(groups: list[Group], decoders: tuple[ir.Decoder, ...]) -> list[Group]:
    """Give each group a name of its own."""
    taken: set[str] = set()
    found = []
    for one in groups:
        kinds = {type(piece.part) for piece in one.pieces}
        name = next((KINDS[kind][0] for kind in NAMED_BY if kind in kinds), "Configured")
        choices = [decoders[i].klass.removesuffix("Decoder") + name for i in one.users]
        free = [n for n in (name, *choices) if n not in taken]
        name = free[0] if free else f"{name}{len(taken)}"
        taken.add(name)
        found.append(Group(one.users, one.pieces, name))
    return found


# The classes


def _mixin(group: Group, groups: list[Group], bases: list[str]) -> parts.Class:
    """Build the class of the part that some decoders share."""
    below = _below(group.pieces, groups)
    lineages = [LINEAGE[bases[i]] for i in group.users]
    root = next(name for name in lineages[0] if all(name in other for other in lineages))
    above = [one.name for one in _least(below, groups)]
    held = _held(group.pieces, groups)
    whole = len(group.users) == len(bases)
    return parts.Class(
        name=group.name,
        bases=tuple(above) if _implies(below, root, bases) else (*above, root),
        doc=(f"{_subject(group)}, which {'all' if whole else 'several'} decoders share.",),
        fields=held,
        parts=_ordered(group.pieces),
    )


def _implies(groups: Iterable[Group], root: str, bases: list[str]) -> bool:
    """Return whether a class of the library is below some groups."""
    return any(_root(one, bases) == root for one in groups)


def _root(group: Group, bases: list[str]) -> str:
    lineages = [LINEAGE[bases[i]] for i in group.users]
    return next(name for name in lineages[0] if all(name in other for other in lineages))


def _subject(group: Group) -> str:
    """Return a noun phrase for the content of a group."""
    kinds = {type(piece.part) for piece in group.pieces}
    found = list(dict.fromkeys(words for kind, (_, words) in KINDS.items() if kind in kinds))
    text = " and ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)
    text = text or "params"
    return text[:1].upper() + text[1:]


def _decoder(
    index: int,
    decoders: tuple[ir.Decoder, ...],
    own: list[tuple[Piece, ...]],
    groups: list[Group],
    bases: list[str],
) -> parts.Class:
    """Build the class of one decoder."""
    mine = [one for one in groups if index in one.users]
    inherited = {piece for one in mine for piece in one.pieces}
    rest = tuple(piece for piece in own[index] if piece not in inherited)
    declared = {field for one in mine for field in _held(one.pieces, groups)}
    above = [one.name for one in _least(mine, groups)]
    decoder, root = decoders[index], bases[index]
    fields = tuple(piece.part for piece in rest if isinstance(piece.part, parts.Field))
    sized = ("Sized",) if decoder.size is not None else ()
    corrects = ("Correcting",) if decoder.correct is not None else ()
    return parts.Class(
        name=decoder.klass,
        bases=(*corrects, *(above if _implies(mine, root, bases) else (*above, root)), *sized),
        doc=decoder.doc,
        fields=tuple(one for one in fields if one not in declared),
        parts=_ordered(rest),
    )


def _held(pieces: tuple[Piece, ...], groups: list[Group]) -> tuple[parts.Field, ...]:
    """Return the params of a class: its own, and those it uses and no other group declares."""
    homes = {piece for one in groups for piece in one.pieces}
    used = [*pieces, *(need for piece in pieces for need in piece.needs if need not in homes)]
    found = dict.fromkeys(one.part for one in used if isinstance(one.part, parts.Field))
    return (*found,)


def _below(pieces: tuple[Piece, ...], groups: list[Group]) -> list[Group]:
    """Return the groups that contain what some pieces need."""
    needed = {need for piece in pieces for need in piece.needs} - {*pieces}
    return [one for one in groups if needed & {*one.pieces}]


def _least(chosen: list[Group], groups: list[Group]) -> Iterator[Group]:
    """Return the groups of which no other one is made, the more special ones first."""
    ancestors: set[tuple[int, ...]] = set()
    for one in chosen:
        ancestors |= _ancestors(one, groups)
    yield from reversed([one for one in chosen if one.users not in ancestors])


def _ancestors(group: Group, groups: list[Group]) -> set[tuple[int, ...]]:
    below = _below(group.pieces, groups)
    found = {one.users for one in below}
    for one in below:
        found |= _ancestors(one, groups)
    return found


def _ordered(pieces: Iterable[Piece]) -> tuple[parts.Part, ...]:
    """Return the methods of a class, in their order."""
    order: Mapping[type, int] = {kind: i for i, kind in enumerate(KINDS)}
    methods = [piece.part for piece in pieces if not isinstance(piece.part, parts.Field)]
    return tuple(sorted(methods, key=lambda part: order[type(part)]))
