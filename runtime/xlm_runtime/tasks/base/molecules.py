"""The molecules that a task trains on."""

from collections.abc import Iterator

from xlm_runtime.tasks.base.prepared import Prepared
from xlm_runtime.tokenizers.molecules.notation import reader


def known(prepared: Prepared) -> Iterator[str]:
    """Read the training molecules as canonical SMILES."""
    read, split = reader(prepared.facts["notation"]), prepared.train
    found = (read(prepared.tokenizer.decode(split[i].body)) for i in range(len(split)))
    return (smiles for smiles in found if smiles)
