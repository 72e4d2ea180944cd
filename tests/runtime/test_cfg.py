"""Grammars, their sentences, and the task that is judged by them."""

from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import prepared
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lark import Lark
from lark.exceptions import LarkError
from prepared import texts

from xlm_runtime import tasks
from xlm_runtime.data.grammar import Grammar
from xlm_runtime.metrics import Answer
from xlm_runtime.plug import Example
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.tasks import cfg
from xlm_runtime.tasks.base.prepared import Prepared
from xlm_runtime.tasks.cfg import AGREEING, PUBLISHED

AMBIGUOUS = Grammar.of("""
    s: np vp | np vindirect "that" s
    np: nprop | det n | det a n | np pp | np poss np
    pp: p np
    vp: vintr | vtr np | vp pp
    a: "big" | "small" | "happy" | "sad"
    det: "the" | "my" | "your"
    n: "man" | "telescope" | "elephant"
    nprop: "John" | "Mary" | "Alice"
    vintr: "sneezed" | "laughed"
    vtr: "chased" | "bought"
    vindirect: "said" | "thought"
    p: "with" | "under"
    poss: "`s"
""")


def one_word_each(grammar: Grammar) -> Grammar:
    """The grammar in which every symbol that makes words makes only the first of them."""
    shorter = {
        symbol: ways[:1] if all(way[0].startswith('"') for _, way in ways) else ways
        for symbol, ways in grammar.ways.items()
    }
    return Grammar(grammar.start, shorter)


def language(grammar: Grammar, longest: int) -> set[tuple[str, ...]]:
    """Every sentence up to a length, by adding what the rules make until nothing is new."""
    made: dict[str, set[tuple[str, ...]]] = {symbol: set() for symbol in grammar.ways}

    def along(way: tuple[str, ...]) -> set[tuple[str, ...]]:
        found: set[tuple[str, ...]] = {()}
        for part in way:
            nexts = {(part.strip('"'),)} if part.startswith('"') else made[part]
            found = {a + b for a in found for b in nexts if len(a) + len(b) <= longest}
        return found

    while True:
        before = sum(map(len, made.values()))
        for symbol, ways in grammar.ways.items():
            made[symbol] = made[symbol].union(*(along(way) for _, way in ways))
        if sum(map(len, made.values())) == before:
            return made[grammar.start]


@pytest.mark.parametrize("grammar", [AGREEING, PUBLISHED], ids=["agreeing", "published"])
def test_the_grammars_are_not_ambiguous(grammar: Grammar) -> None:
    Lark(grammar.lark, parser="lalr", strict=True, start=grammar.start)  # no conflict


def test_an_ambiguous_grammar_has_conflicts() -> None:
    with pytest.raises(LarkError):
        Lark(AMBIGUOUS.lark, parser="lalr", strict=True, start="s")


def test_the_published_language_is_kept() -> None:
    ours, theirs = (language(one_word_each(g), 9) for g in (PUBLISHED, AMBIGUOUS))
    assert ours == theirs
    assert len(ours) > 100
    assert set(PUBLISHED.words) == set(AMBIGUOUS.words)


def test_a_derivation_counted_twice_would_be_found() -> None:
    sentences = language(AMBIGUOUS, 5)
    twice = Grammar(AMBIGUOUS.start, AMBIGUOUS.ways).counts(5)
    assert sum(twice) > len(sentences)
    assert sum(PUBLISHED.counts(5)) == len(sentences)


@pytest.mark.parametrize("grammar", [one_word_each(AGREEING), one_word_each(PUBLISHED)])
def test_counts_are_those_of_every_sentence_listed(grammar: Grammar) -> None:
    lengths = [len(sentence) for sentence in language(grammar, 10)]
    assert grammar.counts(10) == [lengths.count(n) for n in range(11)]


@pytest.mark.parametrize("grammar", [one_word_each(AGREEING), one_word_each(PUBLISHED)])
def test_texts_begin_as_far_as_some_sentence_does(grammar: Grammar) -> None:
    sentences = language(grammar, 12)
    beginnings = {sentence[:n] for sentence in sentences for n in range(len(sentence) + 1)}
    rng = np.random.default_rng(4)
    told = 0
    for _ in range(500):
        words = grammar.draw(rng, 8)
        words[rng.integers(len(words))] = str(rng.choice([*grammar.words, "unknown"]))
        longest = max(n for n in range(len(words) + 1) if tuple(words[:n]) in beginnings)
        assert grammar.begun(words) == longest
        told += longest < len(words)
    assert told > 100


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        ("it sees it", 2),
        ("it of it sees it", 3),
        ("it of it of it of it sees it of it", 5),
        ("it sees", None),
        ("it unknown it", None),
    ],
)
def test_depth_by_hand(text: str, depth: int | None) -> None:
    grammar = Grammar.of('s: np "sees" np\nnp: "it" | "it" "of" np')
    assert grammar.depth(text.split()) == depth


def test_the_guess_by_trying_every_string() -> None:
    grammar = Grammar.of('s: np "sees" np\nnp: "it" | "it" "of" np')
    lengths = [3, 3, 5, 4]

    def rate(n: int) -> float:
        return float(np.mean([grammar.accepts(w) for w in product(grammar.words, repeat=n)]))

    rates = {n: rate(n) for n in (3, 4, 5)}
    assert grammar.guess(lengths) == pytest.approx(np.mean([rates[n] for n in lengths]))
    assert rates[5] > 0


def test_parsing_agrees_with_earley_on_the_published_rules() -> None:
    earley = Lark(AMBIGUOUS.lark, parser="earley", lexer="basic", start="s")
    rng = np.random.default_rng(3)
    right = 0
    for _ in range(200):
        words = PUBLISHED.draw(rng, 10)
        if rng.random() < 0.6:
            words[rng.integers(len(words))] = str(rng.choice(PUBLISHED.words))
        try:
            earley.parse(" ".join(words))
            parses = True
        except LarkError:
            parses = False
        assert PUBLISHED.accepts(words) == parses
        right += parses
    assert 80 < right < 190


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("the dog sleeps", True),
        ("the dog sleep", False),
        ("the dogs that the cat that some birds like sees run", True),
        ("the dogs that the cat that some birds like see run", False),  # the cat sees
        ("some child says that the old happy dog likes some cats", True),
        ("the dog that sleeps", False),
        ("thedog sleeps", False),
        ("the dog sleeps sleeps", False),
        ("the wolf sleeps", False),
        ("", False),
    ],
)
def test_agreement_across_clauses(text: str, right: bool) -> None:
    assert AGREEING.accepts(text.split()) == right


@pytest.mark.parametrize("text", ["s np", "s: ", 's: "a" | np', 's: "two words"', "s: 2"])
def test_what_is_no_grammar_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no rule|no way"):
        Grammar.of(text)


def test_draws_keep_to_the_weights_and_the_length() -> None:
    grammar = Grammar.of('s: 3 "a" | "b" s')
    rng = np.random.default_rng(1)
    drawn = [grammar.draw(rng, 2) for _ in range(2000)]
    assert {tuple(d) for d in drawn} == {("a",), ("b", "a")}
    assert abs(drawn.count(["a"]) / 2000 - 0.75 / (0.75 + 0.25 * 0.75)) < 0.04


# ---------------------------------------------------------------- the task


prepare = partial(prepared.prepare, "cfg")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cfg, "SIZE", 3000)
        return prepare(tmp_path_factory.mktemp("cache"))


def test_quick_draws_sentences_in_disjoint_splits(made: Prepared) -> None:
    splits = [set(texts(made, name)) for name in ("train", "validation", "test")]
    assert all(AGREEING.accepts(text.split()) for split in splits for text in split)
    assert not splits[0] & splits[1]
    assert not (splits[0] | splits[1]) & splits[2]
    assert sum(made.facts["sizes"].values()) == 3000
    assert made.facts["cut"] == {"train": 0, "validation": 0, "test": 0}
    assert made.lengths.max() <= 24
    assert 1e-4 < made.facts["guess"] < 1e-3


def test_texts_are_judged_as_a_whole(made: Prepared) -> None:
    metrics = tasks.get("cfg").metrics(made)
    for text in ("the dog sleeps", "the dog", "", "dogs the sleeps"):
        ids = made.tokenizer.encode(text)
        metrics.update(Answer(ids, Example(0, ()), made.tokenizer))
    found = {name: float(value) for name, value in metrics.compute().items()}
    assert found["parsable"] == 0.25
    assert found["begun_as_sentences"] == (3 + 2 + 0 + 0) / (3 + 2 + 0 + 3)
    assert (found["derivation_depth"], found["derivation_depth_count"]) == (4, 4)
    depths = [AGREEING.depth(text.split()) for text in texts(made, "test")]
    assert found["derivation_depth_of_data"] == pytest.approx(np.mean(depths))


def test_a_seed_fixes_the_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cfg, "SIZE", 200)
    one, other, again = (prepare(tmp_path, seed=seed) for seed in (1, 2, 1))
    assert texts(one, "train") == texts(again, "train") != texts(other, "train")
    assert one.facts["cache"] == again.facts["cache"]


def published(folder: Path, column: str = "text") -> None:
    (folder / "data").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name, count in (("train", 40), ("validation", 5), ("test", 6)):
        rows = [" ".join(PUBLISHED.draw(rng, 20)) for _ in range(count)]
        file = folder / "data" / f"{name}-00000-of-00001.parquet"
        pq.write_table(pa.table({column: rows}), file)


def test_the_published_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    published(tmp_path / "hub")
    monkeypatch.setattr(cfg, "REPO", str(tmp_path / "hub"))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    made = prepare(tmp_path, "paper")
    assert made.facts["sizes"] == {"train": 40, "validation": 5, "test": 6}
    assert all(PUBLISHED.accepts(text.split()) for text in texts(made, "test"))


def test_a_missing_column_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    published(tmp_path / "hub", "sentence")
    monkeypatch.setattr(cfg, "REPO", str(tmp_path / "hub"))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    with pytest.raises(RunError, match=r"no column 'text', its columns are sentence.*\n.*--data"):
        prepare(tmp_path, "paper")


def test_words_of_another_language_are_said(tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("the dog sleeps\nthe wolf sleeps\n" * 50)
    with pytest.raises(UsageError, match=r"mine\.txt: row 2: unknown: 'wolf'"):
        prepare(tmp_path, data=file)
