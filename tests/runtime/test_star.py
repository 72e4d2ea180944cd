"""Star graphs: what they are, that a seed fixes them, and that no problem is in two splits."""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from xlm_runtime import tasks
from xlm_runtime.plug import Example, Noise
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.tasks import star
from xlm_runtime.tasks.base.prepared import DataOptions, Prepared, Split
from xlm_runtime.tasks.base.splits import Name
from xlm_runtime.tasks.base.stars import Graphs, Star, draw, graphs, split_of
from xlm_runtime.tasks.star import BACK, EASY, HARD, MEDIUM, StarTask

SPECIALS = ("pad", "mask", "bos", "eos", "cls")
Edge = tuple[int, int]


def _options(cache: Path, preset: str = "quick", **more: object) -> DataOptions:
    return DataOptions(preset=preset, cache=cache, specials=SPECIALS, **more)  # type: ignore[arg-type]


def _prepare(name: str, cache: Path, preset: str = "quick", **more: object) -> Prepared:
    return tasks.get(name).prepare(_options(cache, preset, **more))


def _small(star_: Star, train: int = 600, held_out: int = 150) -> StarTask:
    """A task of few graphs."""
    made = StarTask("star_small", star_, star_, {})
    sizes: dict[Name, int] = {"train": train, "validation": held_out, "test": held_out}
    made._sizes = dict.fromkeys(("paper", "quick"), sizes)
    return made


def _problem(made: Prepared, prompt: Sequence[int]) -> tuple[frozenset[Edge], int, int]:
    """What a prompt says: edges as pairs of words or joined words, source and goal."""
    *edges, source, goal = made.tokenizer.decode(list(prompt)).replace(">", " ").split()
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return frozenset((int(a), int(b)) for a, b in pairs), int(source), int(goal)


def _walks(edges: frozenset[Edge], source: int) -> Iterator[list[int]]:
    """Every way along the edges from the source to a dead end."""
    following = [head for tail, head in edges if tail == source]
    if not following:
        yield [source]
    for node in following:
        yield from ([source, *rest] for rest in _walks(edges, node))


@pytest.fixture(scope="module", params=[EASY, MEDIUM, HARD], ids=lambda task: task.name)
def quick(request: pytest.FixtureRequest, cache: Path) -> Prepared:
    """The quick kinds with fewer graphs for training."""
    return _small(request.param._stars["quick"], 20_000, 256).prepare(_options(cache))


def test_the_published_sizes() -> None:
    sizes = {task.name: task._stars["paper"] for task in (EASY, MEDIUM, HARD)}
    assert {n: (s.degree, s.shortest, s.longest, s.labels) for n, s in sizes.items()} == {
        "star_easy": (3, 5, 5, 20),
        "star_medium": (3, 3, 6, 20),
        "star_hard": (5, 6, 12, 56),
    }
    assert [(s.prompt, s.body) for s in sizes.values()] == [(26, 8), (32, 10), (112, 22)]


def test_the_easy_quick_task_is_the_one_that_is_promised(cache: Path) -> None:
    made = _prepare("star_easy", cache)
    assert made.facts["guess"] == 0.5
    assert len(made.test) >= 256
    assert len(made.validation) >= 256
    assert len(made.train) >= 3500 * 64
    words = 8 + 8 * 8  # nodes, and edges in one word each
    assert (made.prompt, made.body, made.tokenizer.vocabulary.size) == (8, 4, words + len(SPECIALS))
    edges, source, goal = _problem(made, made.test[0].prompt)
    assert len(edges) == 6
    assert sorted(len(walk) for walk in _walks(edges, source)) == [4, 4]
    assert next(w for w in _walks(edges, source) if w[-1] == goal) == list(made.test[0].body)


@pytest.mark.slow
def test_the_path_backwards_is_forced(cache: Path) -> None:
    """From goal to source, every node has one edge that leads to it; of the easy graphs."""
    made = _prepare("star_back", cache)
    assert "guess" not in made.facts
    for example in (made.test[i] for i in range(40)):
        edges, source, goal = _problem(made, example.prompt)
        body = list(example.body)
        assert (body[0], body[-1]) == (goal, source)
        for node, before in pairwise(body):
            assert [tail for tail, head in edges if head == node] == [before]


@pytest.mark.parametrize("kind", [BACK._stars["paper"], MEDIUM._stars["paper"]], ids=str)
def test_turned_paths_are_paths_read_from_the_other_end(kind: Star) -> None:
    made = draw(kind, Noise(4, torch.arange(60)), "train")
    turned = made.turned
    assert torch.equal(turned.edges, made.edges)
    for there, back in zip(made.path.tolist(), turned.path.tolist(), strict=True):
        length = sum(node >= 0 for node in there)
        assert back == [*there[:length][::-1], *[-1] * (len(there) - length)]


@pytest.mark.parametrize("star_", [t._stars["paper"] for t in (EASY, MEDIUM, HARD)], ids=str)
def test_every_graph_is_lines_that_cross_in_one_node(star_: Star) -> None:
    made = draw(star_, Noise(3, torch.arange(400)), "train")
    for row in range(400):
        edges = [tuple(e) for e in made.edges[row].tolist() if e[0] >= 0]
        path = [n for n in made.path[row].tolist() if n >= 0]
        outs, ins = Counter(t for t, _ in edges), Counter(h for _, h in edges)
        nodes = set(outs) | set(ins)
        centre = next(n for n in nodes if outs[n] == star_.degree)
        assert len(edges) == len(set(edges)) == len(nodes) - 1
        assert all(outs[n] <= 1 and ins[n] <= 1 for n in nodes - {centre})
        assert star_.shortest <= len(path) <= star_.longest
        assert set(pairwise(path)) <= set(edges)
        assert not ins[path[0]] or path[0] == centre
        assert not outs[path[-1]]
        assert len(path) - 1 - path.index(centre) >= star_.ahead
        walks = list(_walks(frozenset(edges), path[0]))
        assert len(walks) == star_.degree
        assert path in walks


def test_lengths_and_labels_are_uniform_and_edges_in_no_order() -> None:
    star_, n = MEDIUM._stars["paper"], 4000
    made = draw(star_, Noise(5, torch.arange(n)), "train")
    lengths = Counter((made.path >= 0).sum(1).tolist())
    sources = Counter(made.path[:, 0].tolist())
    first = (made.edges[:, 0] == made.path[:, :2]).all(1).double().mean()  # 1 of about 10.5 edges
    for count, expected in [(lengths[k], n / 4) for k in (3, 4, 5, 6)] + [
        (sources[k], n / 20) for k in range(20)
    ]:
        assert abs(count - expected) < 5 * math.sqrt(expected)
    assert 0.07 < first < 0.13


def test_a_graph_is_a_function_of_seed_split_and_place() -> None:
    star_ = MEDIUM._stars["quick"]
    many = graphs(star_, "validation", torch.arange(200), seed=7)
    few = graphs(star_, "validation", torch.tensor([150, 3]), seed=7)
    assert torch.equal(few.edges, many.edges[[150, 3]])
    assert torch.equal(few.path, many.path[[150, 3]])
    for other in (
        graphs(star_, "validation", torch.arange(200), seed=8),
        graphs(star_, "test", torch.arange(200), seed=7),
    ):
        assert (other.edges != many.edges).flatten(1).any(1).double().mean() > 0.99


def test_the_graphs_of_a_seed_stay_what_they_are(cache: Path) -> None:
    """Data that changed in silence would make old runs irreproducible: raise the version then."""
    made = _prepare("star_easy", cache)
    example = made.train[0]
    shown = f"{made.tokenizer.decode(example.prompt)} -> {made.tokenizer.decode(example.body)}"
    assert (star._VERSION, shown) == (3, "7>0 5>7 0>2 4>6 5>4 6>1 5 1 -> 5 4 6 1")


def test_no_problem_is_in_two_splits_whatever_the_order_of_edges(quick: Prepared) -> None:
    places: dict[object, set[str]] = defaultdict(set)
    for name in ("train", "validation", "test"):
        split: Split = getattr(quick, name)
        for i in range(len(split)):
            places[_problem(quick, split[i].prompt)].add(name)
    assert {len(names) for names in places.values()} == {1}
    held = [p for p, names in places.items() if names != {"train"}]
    assert len(held) == len(quick.validation) + len(quick.test)  # and all of them differ


def test_no_seed_trains_on_what_another_seed_tests(tmp_path: Path) -> None:
    task = _small(EASY._stars["quick"])
    one, two = (task.prepare(_options(tmp_path, seed=seed)) for seed in (1, 2))
    train = {_problem(one, one.train[i].prompt) for i in range(len(one.train))}
    assert not train & {_problem(two, two.test[i].prompt) for i in range(len(two.test))}


def test_a_problem_belongs_to_one_split_in_any_order() -> None:
    made = draw(HARD._stars["quick"], Noise(1, torch.arange(100)), "train")
    order = list(range(made.edges.shape[1]))
    Random(0).shuffle(order)
    again = Graphs(made.edges[:, order], made.path)
    assert again.problems() == made.problems()
    assert len(set(made.problems())) == 100
    other_goal = Graphs(made.edges, made.path.flip(0))
    assert other_goal.problems()[:50] != made.problems()[:50]


def test_about_one_problem_in_eight_is_held_out() -> None:
    made = draw(HARD._stars["paper"], Noise(1, torch.arange(4000)), "train")
    shares = Counter(split_of(p) for p in made.problems())
    assert abs(shares["test"] - 250) < 75
    assert abs(shares["validation"] - 250) < 75


def test_the_rate_of_a_guess_is_what_a_blind_walker_scores(quick: Prepared) -> None:
    random, rate, n = Random(1), quick.facts["guess"], len(quick.test)
    right = 0
    for i in range(n):
        edges, source, _ = _problem(quick, quick.test[i].prompt)
        right += random.choice(sorted(_walks(edges, source))) == list(quick.test[i].body)
    assert abs(right / n - rate) < 4 * math.sqrt(rate * (1 - rate) / n)


def test_published_bodies_are_pairs_of_nodes() -> None:
    made = _small(MEDIUM._stars["paper"])
    graph = Graphs(torch.zeros(1, 1, 2), torch.tensor([[4, 9, 2, -1]]))
    assert graph.pairs.tolist() == [[4, 9, 9, 2, -1, -1]]
    assert graph.ends.tolist() == [[4, 2]]
    assert made.layout == "seq2seq"


def test_published_and_quick_bodies_on_disk(tmp_path: Path) -> None:
    for star_ in (MEDIUM._stars["paper"], MEDIUM._stars["quick"]):
        made = _small(star_).prepare(_options(tmp_path))
        for i in range(20):
            example = made.test[i]
            edges, source, goal = _problem(made, example.prompt)
            path = next(w for w in _walks(edges, source) if w[-1] == goal)
            pairs = [n for pair in pairwise(path) for n in pair]
            assert list(example.body) == (pairs if star_.path == "edges" else path)


def test_it_is_made_once_for_all_that_shapes_it(tmp_path: Path) -> None:
    task = _small(EASY._stars["quick"])
    folders = [
        task.prepare(_options(tmp_path, **more)).facts["cache"]  # type: ignore[arg-type]
        for more in ({}, {}, {"seed": 9}, {"block": 6})
    ]
    assert folders[0] == folders[1] == folders[3] != folders[2]
    other = DataOptions(preset="quick", cache=tmp_path, specials=("pad",))
    assert task.prepare(other).facts["cache"] != folders[0]


def test_the_user_s_prompt_becomes_an_example(cache: Path) -> None:
    made = _prepare("star_easy", cache)
    text = "0>1 1>2 2>3 0>4 4>5 5>6 0 6"
    edges = [8 + 8 * tail + head for tail, head in ((0, 1), (1, 2), (2, 3), (0, 4), (4, 5), (5, 6))]
    assert made.example(text, 5) == Example(5, (), [*edges, 0, 6])
    with pytest.raises(UsageError, match="unknown: '8'; the words are 0, 1"):
        made.example("0 8")
    with pytest.raises(UsageError, match="has 9 tokens, room is for 8"):
        made.example(text + " 1")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"columns": {"text": "a"}}, "--columns needs a file, given by --data"),
        ({"tokenizer": "gpt2"}, "neither data.tokenizer nor weights"),
        ({"block": 3}, "data.block=3: a body of star_easy has up to 4 tokens"),
        ({"prompt": 7}, "data.prompt=7: a prompt of star_easy has up to 8 tokens"),
    ],
)
def test_options_without_a_meaning_are_refused(
    more: dict[str, object], message: str, cache: Path
) -> None:
    with pytest.raises(UsageError, match=message):
        _prepare("star_easy", cache, **more)


def test_a_larger_block_is_room_for_longer_bodies(cache: Path) -> None:
    assert _prepare("star_easy", cache, block=6).body == 6


# ---------------------------------------------------------------- tables


def _rows(name: str, count: int) -> list[dict[str, object]]:
    """Graphs in the published form."""
    made = draw(tasks.get(name).star("paper"), Noise(9, torch.arange(count)), "train")  # type: ignore[attr-defined]
    kept = ([e for e in edges if e[0] >= 0] for edges in made.edges.tolist())
    paths = [[node for node in path if node >= 0] for path in made.path.tolist()]
    return [
        {"edge_list": edges, "source": path[0], "goal": path[-1], "path": path}
        for edges, path in zip(kept, paths, strict=True)
    ]


@pytest.mark.parametrize("name", ["star_easy", "star_hard", "star_back"])
def test_graphs_of_one_s_own(name: str, tmp_path: Path) -> None:
    rows, file = _rows(name, 300), tmp_path / "mine.jsonl"
    rows[200] |= {"goal": rows[200]["source"]}
    rows[201] |= {"path": None}
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    made = _prepare(name, tmp_path, data=file)
    assert sum(made.facts["sizes"].values()) == 298
    dropped = {why.split(" in ")[0]: one["first"] for why, one in made.facts["dropped"].items()}
    assert dropped == {"a path that does not lead from source to goal": [201], "null": [202]}
    for example in (made.test[i] for i in range(len(made.test))):
        edges, source, goal = _problem(made, example.prompt)
        path = next(w for w in _walks(edges, source) if w[-1] == goal)
        walk = path[::-1] if name == "star_back" else path
        assert list(example.body) == [n for pair in pairwise(walk) for n in pair]


def test_a_table_of_texts(tmp_path: Path) -> None:
    rows = _rows("star_easy", 200)
    lines = [f'"{r["edge_list"]}",{r["source"]},{r["goal"]},"{r["path"]}"' for r in rows]
    (tmp_path / "mine.csv").write_text("\n".join(["edges,source,goal,path", *lines]))
    columns = {"edge_list": "edges"}
    made = _prepare("star_easy", tmp_path, data=tmp_path / "mine.csv", columns=columns)
    assert (sum(made.facts["sizes"].values()), made.facts["dropped"]) == (200, {})


def test_the_published_graphs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    monkeypatch.setattr(star, "PUBLISHED", {"star_medium": str(tmp_path / "hub")})
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    (tmp_path / "hub/data").mkdir(parents=True)
    sizes = {"train": 40, "validation": 5, "test": 6}
    for split, count in sizes.items():
        file = tmp_path / f"hub/data/{split}-00000-of-00001.parquet"
        pq.write_table(pa.Table.from_pylist(_rows("star_medium", count)), file)
    made = _prepare("star_medium", tmp_path, "paper")
    assert (made.facts["sizes"], made.prompt, made.body) == (sizes, 32, 10)
    assert star.PUBLISHED.keys() == {"star_medium"}
    assert _prepare("star_back", tmp_path, "paper").facts["source"] == "generated with seed 1"


def test_too_few_problems_are_said(tmp_path: Path) -> None:
    tiny = Star(degree=2, shortest=2, longest=2, ahead=1, labels=3, path="nodes")  # 6 problems
    with pytest.raises(RunError, match="star graphs"):
        _small(tiny).prepare(_options(tmp_path))
    assert not [p for p in tmp_path.rglob("*") if p.is_dir() and p.name != "star_small"]
