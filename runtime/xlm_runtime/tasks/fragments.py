"""Molecules to be completed from given fragments: linkers, motifs, scaffolds, superstructures.

As in GenMol (Lee et al. 2025, arXiv:2501.06158) a model of task `safe` is trained on whole
molecules, and generates texts that begin with the given fragments and a dot: bodies of which a
beginning is given, and whose end is open. The fragments are read with ``--data`` from GenMol's
table (``fragments.csv`` of its repository): column ``smiles`` holds the originals, the columns
``linker_design``, ``motif_extension``, ``scaffold_decoration`` and ``superstructure_generation``
the given fragments. With ``--preset quick`` and no table they are cut from the molecules that
`safe` keeps for testing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from xlm_runtime.data import files
from xlm_runtime.data.rows import Dropped, Place
from xlm_runtime.plug import Example
from xlm_runtime.system.cache import fingerprint
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.tasks.base.prepared import DataOptions, Prepared
from xlm_runtime.tasks.base.task import Task
from xlm_runtime.tasks.safe import JUDGED, SAFE
from xlm_runtime.tokenizers import molecules

if TYPE_CHECKING:
    from torchmetrics import MetricCollection

Asked = tuple[str, str]  # what is given, and the rest of the original, as bracket SAFE
REPEATS = {"quick": 8, "paper": 100}  # answers to each question
QUESTIONS = 24  # of `quick`
_MISSING = (
    "--preset paper reads GenMol's table of fragments: give it with --data "
    "fragments.csv (data/fragments.csv of its repository), or use --preset quick"
)
_TRAINED = (
    "task safe provides the training data, and --data only the questions: use --preset quick, "
    "which makes molecules"
)


class FragmentTask(Task):
    """One kind of questions, in the ``column`` of GenMol's table."""

    layout = "infill"
    quick: ClassVar[Mapping[str, float | int | str]] = SAFE.quick

    def __init__(self, kind: str, column: str, title: str) -> None:
        self.kind, self.column = kind, column
        self.name = f"safe_{kind}"
        self.title = f"{title}, as bracket SAFE (quick: made ones)"

    def prepare(self, options: DataOptions) -> Prepared:
        """Prepare whole molecules for training, and questions.  Raises UsageError and RunError."""
        molecules.check(f"task {self.name}")
        if options.preset == "paper" and not options.data:
            raise UsageError(_MISSING)
        trained = self._trained(options)
        dropped = Dropped()
        found = self._table(options, dropped) if options.data else self._made(trained)
        kept = _fitting(found, trained, dropped)
        if not kept:
            raise RunError(f"{options.data}: no question is left (dropped: {dropped.said})")
        repeats = REPEATS[options.preset]
        test = [
            _example(i, asked) for i, asked in enumerate(a for a in kept for _ in range(repeats))
        ]
        about = {"questions": len(kept), "answers_to_each": repeats, "dropped": dropped.facts()}
        if options.data:
            about["table"] = [str(options.data), fingerprint(options.data)]
        sizes = {**trained.facts["sizes"], "test": len(test)}
        facts = {**trained.facts, **self.about(options), **about, "sizes": sizes}
        return replace(trained, test=test, facts=facts)

    def _trained(self, options: DataOptions) -> Prepared:
        """Prepare the molecules of task `safe`; ``--data`` holds questions alone."""
        try:
            return SAFE.prepare(replace(options, data=None, columns={}))
        except RunError as error:
            first, *more = str(error).splitlines()
            lines = [first, _TRAINED] if more else [first]
            raise type(error)("\n".join(lines)) from error

    def about(self, options: DataOptions) -> Mapping[str, Any]:
        """Describe the training data, the questions, and the protocol."""
        known = SAFE.about(replace(options, data=None, columns={}))
        asked = "made ones" if options.preset == "quick" else "GenMol's table, given by --data"
        asked = f"column {self.column} of {options.data}" if options.data else asked
        return {**known, "asked": asked, "protocol": _PROTOCOL}

    def metrics(self, _: Prepared) -> "MetricCollection":
        """Return `metrics.fragments`, for texts as they are and after GenMol's repairs."""
        from xlm_runtime.metrics import collection
        from xlm_runtime.metrics.fragments import Fragments
        from xlm_runtime.tokenizers.molecules.safe import lenient, strict

        return collection(Fragments(strict), Fragments(lenient, prefix="genmol_"))

    def _table(self, options: DataOptions, dropped: Dropped) -> Iterator[tuple[Place, Asked]]:
        from xlm_runtime.tokenizers.molecules.pieces import offered

        assert options.data is not None
        table = files.read(options.data)
        roles = ("smiles", self.column)
        for place, (whole, given) in table.texts(roles, options.columns, dropped):
            found = offered(whole.strip(), given.strip())
            if isinstance(found, str):
                dropped.note(found, place)
            else:
                yield place, found

    def _made(self, trained: Prepared) -> Iterator[tuple[Place, Asked]]:
        from xlm_runtime.tokenizers.molecules.pieces import chosen
        from xlm_runtime.tokenizers.molecules.safe import strict

        made = 0
        for index in range(len(trained.test)):
            whole = strict(trained.tokenizer.decode(trained.test[index].body))
            found = chosen(whole, self.kind, np.random.default_rng(index)) if whole else None
            if found and made < QUESTIONS:
                made += 1
                yield Place("", 1 + index), found


_PROTOCOL = (
    "trained on whole molecules; asked for texts that begin with the given fragments, of lengths "
    "drawn from those of the training texts (GenMol: of at least 30 tokens more); where a fragment "
    "shows no open bond, those of the original are open (GenMol: some at random); means over "
    "questions of what the answers to each are; an answer without the fragments is not valid; "
    f"{JUDGED}"
)


def _fitting(
    found: Iterator[tuple[Place, Asked]], trained: Prepared, dropped: Dropped
) -> list[tuple[list[int], list[int]]]:
    """Encode questions; drop and count those that are too long or cannot be spelled."""
    kept = []
    for place, parts in found:
        given, rest = (trained.tokenizer.encode(part) for part in parts)
        if len(given) + len(rest) > trained.body:
            dropped.note(f"a molecule of more than {trained.body} tokens", place)
        elif trained.tokenizer.unknown in (*given, *rest):
            dropped.note("a molecule with tokens that the vocabulary lacks", place)
        else:
            kept.append((given, rest))
    return kept


def _example(index: int, asked: tuple[list[int], list[int]]) -> Example:
    """Build an example with a given beginning, and gaps for insertion after it."""
    given, rest = asked
    known = [True] * len(given) + [False] * len(rest)
    gaps = [False] * len(given) + [True] * (len(rest) + 1)
    return Example(index, [*given, *rest], given=known, gaps=gaps)


LINKER = FragmentTask("linker", "linker_design", "linker design and scaffold morphing")
MOTIF = FragmentTask("motif", "motif_extension", "motif extension")
SCAFFOLD = FragmentTask("scaffold", "scaffold_decoration", "scaffold decoration")
SUPERSTRUCTURE = FragmentTask(
    "superstructure", "superstructure_generation", "superstructure generation"
)
