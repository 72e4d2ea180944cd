"""SMILES and molecules.  RDKit's messages on wrong ones are suppressed."""

from rdkit import Chem, rdBase


def parsed(smiles: str) -> Chem.Mol | None:
    """Parse a SMILES that RDKit can sanitize and that has an atom; else return None.

    RDKit reads text behind a blank as the name of the molecule, and trims letters beyond ASCII and
    invisible characters; a SMILES contains none of them.
    """
    if not all("!" <= letter <= "~" for letter in smiles):
        return None
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smiles)
    return mol if mol is not None and mol.GetNumAtoms() else None


def canonical(smiles: str) -> str | None:
    """Return RDKit's canonical SMILES, which is the same for every spelling of a molecule."""
    mol = parsed(smiles.strip(" \t\r\n"))
    return None if mol is None else Chem.MolToSmiles(mol)


def whole(smiles: str) -> str | None:
    """Return the canonical SMILES of a text that is one molecule; None for several or none."""
    found = canonical(smiles)
    return None if found is None or "." in found else found


def largest(smiles: str) -> str:
    """Return the longest part of a SMILES with several parts; the last of equally long ones."""
    return sorted(smiles.split("."), key=len)[-1]
