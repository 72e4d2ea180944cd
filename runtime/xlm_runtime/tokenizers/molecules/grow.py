"""Molecules of our own making: random trees of small pieces, joined by single bonds.

They are sane for a chemist's software and no more: for trying things out where no data are at hand.
"""

from functools import cache

import numpy as np
from rdkit import Chem

PIECES = {  # how often each is taken
    "C": 30,
    "N": 7,
    "O": 7,
    "F": 2,
    "C=O": 9,
    "C=C": 3,
    "C#C": 1,
    "C#N": 2,
    "C1CC1": 2,
    "C1CO1": 1,
    "C1CCCC1": 2,
    "C1CCOC1": 2,
    "C1CCNC1": 2,
    "C1CCCCC1": 2,
    "C1COCCN1": 2,
    "c1ccccc1": 5,
    "c1ccncc1": 2,
    "c1ccoc1": 1,
    "c1cc[nH]c1": 1,
}


def grow(rng: np.random.Generator, least: int, most: int) -> str:
    """Draw the canonical SMILES of a molecule of ``least`` to ``most`` heavy atoms."""
    wanted = int(rng.integers(least, most + 1))
    while True:
        mol: Chem.Mol | None = _piece(rng, wanted)
        while mol is not None and mol.GetNumAtoms() < wanted:
            mol = _joined(mol, _piece(rng, wanted - mol.GetNumAtoms()), rng)
        if mol is not None:
            return str(Chem.MolToSmiles(mol))


def _piece(rng: np.random.Generator, most: int) -> Chem.Mol:
    """Draw a piece of at most so many atoms."""
    mols, weights = _fitting(min(most, 6))
    return mols[int(rng.choice(len(mols), p=weights))]


@cache
def _fitting(most: int) -> tuple[list[Chem.Mol], np.ndarray]:
    mols = {smiles: Chem.MolFromSmiles(smiles) for smiles in PIECES}
    kept = {smiles: mol for smiles, mol in mols.items() if mol.GetNumAtoms() <= most}
    weights = np.array([PIECES[smiles] for smiles in kept], float)
    return list(kept.values()), weights / weights.sum()


def _joined(mol: Chem.Mol, piece: Chem.Mol, rng: np.random.Generator) -> Chem.Mol | None:
    """Join two molecules at two atoms that have a hydrogen, of which at least one is carbon."""
    pairs = [
        (a, b)
        for a in mol.GetAtoms()
        for b in piece.GetAtoms()
        if a.GetTotalNumHs() and b.GetTotalNumHs() and "C" in (a.GetSymbol(), b.GetSymbol())
    ]
    if not pairs:
        return None
    a, b = pairs[int(rng.integers(len(pairs)))]
    both = Chem.RWMol(Chem.CombineMols(mol, piece))
    ends = a.GetIdx(), mol.GetNumAtoms() + b.GetIdx()
    both.AddBond(*ends, Chem.BondType.SINGLE)
    for i in ends:
        both.GetAtomWithIdx(i).SetNumExplicitHs(0)  # that of [nH] gives way to the bond
    Chem.SanitizeMol(both)
    return both.GetMol()
