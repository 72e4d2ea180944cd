"""Molecules of which some fragments are given: these first, then the rest, as bracket SAFE.

The kinds of tasks are those of GenMol (Lee et al. 2025, arXiv:2501.06158), which are all posed in
the same way: the given fragments, a dot, and the rest to be generated.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from rdkit import Chem

from xlm_runtime.tokenizers.molecules import safe
from xlm_runtime.tokenizers.molecules.smiles import parsed

_MATCHES = 1000  # places of a fragment in a molecule that are looked at


def offered(whole: str, given: str) -> tuple[str, str] | str:
    """Split a molecule into given fragments and its rest; return a reason if it lacks them.

    ``given`` is a SMILES, its fragments separated by dots. Dummy atoms (``[11*]``) mark the open
    bonds; if there are none, every bond that leaves the fragments is open.
    """
    mol, part = parsed(whole), parsed(given)
    if mol is None or part is None:
        return "no molecule that RDKit can read"
    core, ends = _core(part)
    for match in mol.GetSubstructMatches(core, uniquify=False, maxMatches=_MATCHES):
        inside, leaving = set(match), []
        for bond in mol.GetBonds():
            pair = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
            if len(inside.intersection(pair)) == 1:
                leaving.append(pair)
        anchors = Counter(i for pair in leaving for i in pair if i in inside)
        if leaving and (not ends or anchors == Counter(match[i] for i in ends)):
            others = [pair for pair in safe.brics(mol) if not inside.intersection(pair)]
            parts = safe.cut(mol, [*leaving, *others])
            first = [part for part, atoms in parts if atoms & inside]
            return _texts(first, [part for part, atoms in parts if not atoms & inside])
    return "a fragment that is no part of its molecule, or all of it"


def chosen(whole: str, kind: str, rng: np.random.Generator) -> tuple[str, str] | None:
    """Draw fragments of a molecule for a kind of task, and the rest; None if it has none.

    ``linker``: two different ones with one open bond each. ``motif``: one with one open bond.
    ``scaffold``: one with several. ``superstructure``: any.
    """
    mol = parsed(whole)
    parts = [] if mol is None else [part for part, _ in safe.cut(mol, safe.brics(mol))]
    if len(parts) < 2:
        return None
    open_ = [
        sorted(a.GetIsotope() for a in part.GetAtoms() if not a.GetAtomicNum()) for part in parts
    ]
    ends = [i for i, own in enumerate(open_) if len(own) == 1]
    every: dict[str, Sequence[tuple[int, ...]]] = {
        "linker": [(i, j) for i in ends for j in ends if i < j and open_[i] != open_[j]],
        "motif": [(i,) for i in ends],
        "scaffold": [(i,) for i, own in enumerate(open_) if len(own) > 1],
        "superstructure": [(i,) for i in range(len(parts))],
    }
    if not every[kind]:
        return None
    picked = every[kind][int(rng.integers(len(every[kind])))]
    first = [parts[i] for i in picked]
    return _texts(first, [part for i, part in enumerate(parts) if i not in picked])


def contains(whole: str, given: str) -> bool:
    """Return whether a molecule has the fragments of a bracket SAFE, each at its own place.

    Their open bonds may end at any atom; stereochemistry is ignored.
    """
    mol, part = parsed(whole), parsed(safe.capped(safe.smiles(given.strip("."))))
    return mol is not None and part is not None and mol.HasSubstructMatch(_core(part)[0])


def _core(part: Chem.Mol) -> tuple[Chem.Mol, list[int]]:
    """Remove the dummy atoms of a fragment; return also the new places of their neighbours."""
    kept = [atom.GetIdx() for atom in part.GetAtoms() if atom.GetAtomicNum()]
    dummies = [atom for atom in part.GetAtoms() if not atom.GetAtomicNum()]
    ends = [kept.index(next(iter(d.GetNeighbors())).GetIdx()) for d in dummies]
    core = Chem.RWMol(part)
    for i in sorted((d.GetIdx() for d in dummies), reverse=True):
        core.RemoveAtom(i)
    return core.GetMol(), ends


def _texts(first: Iterable[Chem.Mol], rest: Iterable[Chem.Mol]) -> tuple[str, str]:
    """Spell given fragments, each followed by a dot, and the rest, numbered as one text."""
    first = list(first)
    sized = sorted(rest, key=lambda part: part.GetNumAtoms(), reverse=True)
    parts = safe.spell([*first, *sized]).split(".")
    return "".join(f"{part}." for part in parts[: len(first)]), ".".join(parts[len(first) :])
