r"""Bracket SAFE: a molecule as its fragments, with numbers for the bonds between them.

SAFE (Noutahi et al. 2024, arXiv:2310.10773) cuts the bonds of BRICS, writes the fragments one after
another, divided by dots, and marks both ends of a cut bond with the same number, as SMILES does
with rings: any reader of SMILES reads it. Bracket SAFE (GenMol, Lee et al. 2025, arXiv:2501.06158)
puts these numbers in angle brackets, so that they are other tokens than those of rings:
``CC(N)=O`` with the amide cut is ``CC<1>=O.N<1>``.

This is the definition of GenMol's converter, but for what its own decoder cannot read back: a cut
double bond loses the parentheses around it (``C(=<1>)C`` is ``C=<1>C``); the tenth number is
``<10>`` and not ``<%10>``; and no bond is cut beside a double bond of stated geometry, whose marks
would be lost. Numbers count up as they come, where those of GenMol come in any order. ``safe-mol``
brings more than a hundred packages along, so this is our own.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import BRICS

from xlm_runtime.tokenizers.molecules.smiles import canonical, largest, parsed

Bond = tuple[int, int]  # by its atoms
_CUT = re.compile(r"\[(\d+)\*\]")
_WRAPPED = re.compile(r"\(([=#/\\]?)(<\d+>)\)")
_LABEL = re.compile(r"<%?(\d+)>")
_RING = re.compile(r"\[[^\]]*\]|<%?\d+>|%\((\d+)\)|%(\d\d)|(\d)")


def encode(smiles: str, rng: np.random.Generator | None = None) -> str | None:
    """Encode a molecule as bracket SAFE, largest fragment first; None if it is no molecule.

    With ``rng`` atoms and fragments are in random order, as GenMol trains on them.
    """
    mol = parsed(smiles)
    if mol is None:
        return None
    if rng is not None:
        mol = Chem.RenumberAtoms(mol, rng.permutation(mol.GetNumAtoms()).tolist())
    parts = [part for part, _ in cut(mol, brics(mol))]
    if rng is None:
        parts = sorted(parts, key=lambda part: part.GetNumAtoms(), reverse=True)
    else:
        parts = [parts[i] for i in rng.permutation(len(parts)).tolist()]
    return spell(parts)


def brics(mol: Chem.Mol) -> list[Bond]:
    """Return the BRICS bonds, except those next to a double bond with a specified geometry."""
    fixed = {
        i
        for bond in mol.GetBonds()
        if bond.GetStereo() != Chem.BondStereo.STEREONONE
        for i in (bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())
    }
    found = BRICS.FindBRICSBonds(mol)  # type: ignore[no-untyped-call]
    return [bond for bond, _ in found if not fixed.intersection(bond)]


def cut(mol: Chem.Mol, bonds: Sequence[Bond]) -> list[tuple[Chem.Mol, set[int]]]:
    """Cut a molecule at some bonds, ``[k*]`` at both ends of each; return fragments and atoms."""
    if bonds:
        indices = [mol.GetBondBetweenAtoms(*bond).GetIdx() for bond in bonds]
        numbers = [(k, k) for k in range(1, len(bonds) + 1)]
        mol = Chem.FragmentOnBonds(mol, indices, dummyLabels=numbers)
    atoms: list[tuple[int, ...]] = []
    parts = Chem.GetMolFrags(mol, asMols=True, sanitizeFrags=False, fragsMolAtomMapping=atoms)
    return list(zip(parts, map(set, atoms), strict=True))


def spell(parts: Iterable[Chem.Mol]) -> str:
    """Concatenate fragments with ``[k*]`` at their cut bonds; number labels as they come."""
    text = ".".join(_rooted(part) for part in parts)
    labels = {k: i for i, k in enumerate(dict.fromkeys(_CUT.findall(text)), 1)}
    return _WRAPPED.sub(r"\1\2", _CUT.sub(lambda cut: f"<{labels[cut[1]]}>", text))


def smiles(text: str) -> str:
    """Convert bracket SAFE to plain SAFE, which is SMILES: labels become unused ring numbers."""
    rings = [int(n) for found in _RING.finditer(text) for n in found.groups() if n]
    first = max(rings, default=0)
    return _LABEL.sub(lambda label: _number(first + int(label[1])), text)


def strict(text: str) -> str | None:
    """Return a bracket SAFE's canonical SMILES if it is one whole molecule; else None.

    Whole: every bond has its two ends (else RDKit finds an open ring), and all atoms are
    connected.
    """
    found = canonical(smiles(text))
    return None if found is None or "." in found or "*" in found else found


def lenient(text: str) -> str | None:
    """Return the canonical SMILES of a bracket SAFE after GenMol's repairs, or None.

    Fragments that cannot be read are left out, open bonds get a hydrogen, and of several
    unconnected parts the longest SMILES is taken: more counts as valid than was generated.
    """
    readable = [part for part in smiles(text).split(".") if parsed(capped(part))]
    found = _without_dummies(capped(".".join(readable))) if readable else None
    return canonical(largest(found)) if found else None


def _rooted(part: Chem.Mol) -> str:
    """Spell a fragment from a true atom on, so that no cut bond comes first."""
    root = next(atom.GetIdx() for atom in part.GetAtoms() if atom.GetAtomicNum())
    return str(Chem.MolToSmiles(part, rootedAtAtom=root))


def _number(n: int) -> str:
    return str(n) if n < 10 else f"%{n}" if n < 100 else f"%({n})"


def capped(text: str) -> str:
    """Attach a dummy atom to every ring number that occurs an odd number of times."""
    numbers = Counter(n for found in _RING.finditer(text) for n in found.groups() if n)
    return ".".join([text, *(f"*{_number(int(n))}" for n, c in numbers.items() if c % 2)])


def _without_dummies(text: str) -> str | None:
    """Return the SMILES of a molecule with hydrogens in place of its dummy atoms."""
    mol = parsed(text)
    if mol is None:
        return None
    with rdBase.BlockLogs():
        for atom in mol.GetAtoms():
            if atom.GetAtomicNum() == 0:
                atom.SetAtomicNum(1)
                atom.SetIsotope(0)
        try:
            return str(Chem.MolToSmiles(Chem.RemoveHs(mol)))
        except (Chem.MolSanitizeException, ValueError):
            return None
