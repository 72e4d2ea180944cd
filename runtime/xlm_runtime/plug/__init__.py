"""The plug between a generated package and the runtime: everything a package may import.

A package exports one ``FAMILY``. The runtime makes examples, calls a layout of the family for a
`Batch`, and passes it to the functions of the family; it knows nothing of what they do with it.
"""

from xlm_runtime.plug.batch import Batch, Draft, Example, Movable, Vocabulary
from xlm_runtime.plug.family import Claim, Ended, Family, ModelSize, Param, Published, Samples, even
from xlm_runtime.plug.layout import Layout, Row, stack
from xlm_runtime.plug.noise import Noise
from xlm_runtime.plug.renamed import renamed
from xlm_runtime.plug.results import Decoded, History, Losses, Nelbo, Record

__all__ = [
    "Batch",
    "Claim",
    "Decoded",
    "Draft",
    "Ended",
    "Example",
    "Family",
    "History",
    "Layout",
    "Losses",
    "ModelSize",
    "Movable",
    "Nelbo",
    "Noise",
    "Param",
    "Published",
    "Record",
    "Row",
    "Samples",
    "Vocabulary",
    "even",
    "renamed",
    "stack",
]
