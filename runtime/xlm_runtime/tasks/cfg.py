"""Sentences of a context-free grammar: a model's mistakes can be counted exactly.

With ``--preset quick`` they are drawn from `AGREEING`, in which a verb agrees with its noun across
nested clauses between them. With ``--preset paper`` they are read from ``dhruveshpatel/cfg-small``
on the Hub (column ``text``, words between spaces) and judged by `PUBLISHED`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from xlm_runtime.data.grammar import Grammar
from xlm_runtime.data.rows import Dropped, Place
from xlm_runtime.tasks.base.prepared import DataOptions, Prepared
from xlm_runtime.tasks.base.sources import Row, Source, by_hash
from xlm_runtime.tasks.base.splits import Name
from xlm_runtime.tasks.base.task import SMALL
from xlm_runtime.tasks.base.text import TextTask, hub_source
from xlm_runtime.tokenizers import Tokenizer, words

if TYPE_CHECKING:
    from torchmetrics import MetricCollection

REPO = "dhruveshpatel/cfg-small"
FILES = {name: f"data/{name}-*.parquet" for name in ("train", "validation", "test")}
SIZE = 24_000
JUDGED = 1_000  # sentences of the test split that depths are compared with
SHARES: dict[Name, float] = {"validation": 1 / 16, "test": 1 / 16}

AGREEING = Grammar.of("""
    s: one is | many are
    one: 4 det cone | det cone "that" is | det cone "that" one sees
         | det cone "that" many see
    many: 4 det cmany | det cmany "that" are | det cmany "that" one sees
         | det cmany "that" many see
    is: 4 rests | 5 sees np | says "that" s
    are: 4 rest | 5 see np | say "that" s
    np: one | many
    det: "the" | "some"
    cone: 4 dog | adj cone
    cmany: 4 dogs | adj cmany
    adj: "small" | "old" | "happy"
    dog: "dog" | "cat" | "bird" | "child"
    dogs: "dogs" | "cats" | "birds" | "children"
    rests: "sleeps" | "runs"
    rest: "sleep" | "run"
    sees: "sees" | "likes"
    see: "see" | "like"
    says: "says" | "thinks"
    say: "say" | "think"
""")

# The language of the published grammar, which is ambiguous (what `with` belongs to, and `s):
#     S -> NP VP | NP Vindirect C S
#     NP -> NProp | Det N | Det A N | NP PP | NP Poss NP
#     PP -> P NP
#     VP -> Vintr | Vtr NP | VP PP
# A noun phrase is a chain of simple ones, joined by prepositions and `s; and a preposition behind
# an object may as well belong to the object, so that only a verb without one needs it.
PUBLISHED = Grammar.of("""
    s: np vp | np vindirect "that" s
    np: simple | np joint simple
    joint: p | "`s"
    simple: nprop | det n | det a n
    vp: vintr | vintr p np | vtr np
    a: "big" | "small" | "happy" | "sad"
    det: "the" | "my" | "your"
    n: "man" | "telescope" | "elephant"
    nprop: "John" | "Mary" | "Alice"
    vintr: "sneezed" | "laughed"
    vtr: "chased" | "bought"
    vindirect: "said" | "thought"
    p: "with" | "under"
""")
GRAMMARS = {"quick": AGREEING, "paper": PUBLISHED}


class Cfg(TextTask):
    """Sentences, each alone in its block."""

    name = "cfg"
    title = "sentences of a small grammar (quick: agreement across nested clauses)"
    shipped = "drawn from a grammar"
    blocks: ClassVar[Mapping[str, int]] = {"paper": 32, "quick": 24}
    tokenizers: ClassVar[Mapping[str, str]] = {"paper": "words", "quick": "words"}
    protocols: ClassVar[Mapping[str, str]] = {
        "paper": "the published splits; parsable: the whole text is a sentence of the grammar",
        "data": "every row alone, cut at the block; splits by file or by hash of the row; "
        "parsable: by the grammar of the preset",
        "quick": "drawn from the grammar by its weights, repeats kept, splits by hash of the "
        "sentence, so that none is in two of them; parsable: the whole text is a sentence",
    }
    quick: ClassVar[Mapping[str, float | int | str]] = {
        **SMALL,
        "model.width": 96,
        "model.heads": 4,
        "model.rotary_base": 100.0,
    }

    def published(self) -> Source:
        """Return the data set on the Hub."""
        return hub_source(REPO, FILES, 3_000_000)

    def about(self, options: DataOptions) -> Mapping[str, Any]:
        """Describe the texts, and name the grammar that judges them."""
        return {**super().about(options), "grammar": options.preset}

    def prepare(self, options: DataOptions) -> Prepared:
        """Prepare the sentences, with the rate of a uniform guess."""
        made = super().prepare(options)
        grammar = GRAMMARS[options.preset]
        more: dict[str, Any] = {"grammar": options.preset}
        if made.facts["tokenizer"] == "words":  # lengths are in tokens
            more["guess"] = grammar.guess(made.lengths.clip(max=made.body).tolist())
            more["guess_means"] = "words drawn uniformly, at the lengths of the training texts"
        return replace(made, facts={**made.facts, **more})

    def metrics(self, prepared: Prepared) -> "MetricCollection":
        """Return the metrics of the grammar, and those of variety."""
        from xlm_runtime.metrics import collection, language
        from xlm_runtime.metrics.syntax import syntactic

        test, grammar = prepared.test, GRAMMARS[prepared.facts["grammar"]]
        some = range(min(JUDGED, len(test)))
        sentences = (prepared.tokenizer.decode(test[i].body) for i in some)
        return collection(*syntactic(grammar, sentences), *language.texts())

    def tokenizer(self, name: str, options: DataOptions) -> Tokenizer | None:
        """Return a tokenizer with one id for each word of the grammar."""
        if name == "words":
            return words(GRAMMARS[options.preset].words, options.specials)
        return None

    def quick_texts(self, options: DataOptions) -> Source:
        """Return sentences drawn from the grammar."""
        return _drawn(options.seed, options.block or self.blocks["quick"])


def _drawn(seed: int, longest: int) -> Source:
    """Draw sentences of `AGREEING` that are not too long, each from its own seed."""
    key = {"grammar": AGREEING.fingerprint, "seed": seed, "size": SIZE, "longest": longest}

    def rows(_: Dropped) -> Iterator[Row]:
        for index in range(SIZE):
            text = " ".join(AGREEING.draw(np.random.default_rng([seed, index]), longest))
            yield by_hash(text, SHARES), Place("", 1 + index), (text,)

    return Source(f"drawn from the grammar with seed {seed}", key, 34 * SIZE, rows)


CFG = Cfg()
