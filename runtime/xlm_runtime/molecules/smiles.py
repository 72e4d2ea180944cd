"""SMILES and molecules.  What RDKit has to say about wrong ones is not printed."""

from rdkit import Chem, rdBase


def parsed(smiles: str) -> Chem.Mol | None:
    """The molecule of a SMILES: one that RDKit can sanitize and that has an atom; else None.

    RDKit takes what stands behind a blank for the name of the molecule, and trims letters beyond
    ASCII and what cannot be seen; a SMILES holds none of them.
    """
    if not all("!" <= letter <= "~" for letter in smiles):
        return None
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smiles)
    return mol if mol is not None and mol.GetNumAtoms() else None


def canonical(smiles: str) -> str | None:
    """RDKit's canonical SMILES, which is the same for every spelling of a molecule."""
    mol = parsed(smiles.strip(" \t\r\n"))
    return None if mol is None else Chem.MolToSmiles(mol)


def whole(smiles: str) -> str | None:
    """The canonical SMILES of a text that is one molecule; None where it is several, or wrong."""
    found = canonical(smiles)
    return None if found is None or "." in found else found


def largest(smiles: str) -> str:
    """The longest part of a SMILES that may have several; the last of those that are as long."""
    return sorted(smiles.split("."), key=len)[-1]
