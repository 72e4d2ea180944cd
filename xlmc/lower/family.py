"""A checked tree becomes the IR: every decision is made here."""

from xlmc.calculus.code import Code, Kind, Rank, called, variable
from xlmc.diagnostics.diagnostic import SpecErrors
from xlmc.diagnostics.semantic_errors import TooHard
from xlmc.lower import ir
from xlmc.lower.claims import samples
from xlmc.lower.clock import Clock
from xlmc.lower.collate import collate
from xlmc.lower.decoder import decoders, reading
from xlmc.lower.likelihood import likelihood
from xlmc.lower.loss import loss, loss_params
from xlmc.lower.noise import noise
from xlmc.lower.recipes import recipes
from xlmc.syntax import ast, query
from xlmc.syntax.expression import MathError
from xlmc.theory.claims import claim, tilt, trained
from xlmc.theory.objective import Objective
from xlmc.theory.process import Process
from xlmc.words import terms
from xlmc.words.slots import backbone_words

FILES = {
    "schedule.py": "the clock of the noise, and what was derived from it",
    "noise.py": "how much noise an example gets, and what it does",
    "network.py": "tokens to hidden states, and the heads that read them",
    "loss.py": "the training objective",
    "likelihood.py": "the likelihood of whole examples",
    "reading.py": "a call of the network, as decoders make it",
    "decoder.py": "from noise to text",
    "collate.py": "how a sequence is laid out",
    "family.py": "the pieces, handed to the runtime",
}


def lower(family: ast.Family) -> ir.Package:
    """The IR of a family that has been checked.

    Raises:
        SpecErrors: if the calculus cannot derive what the family needs.
    """
    try:
        return _lower(family)
    except MathError as error:
        raise SpecErrors([TooHard(span=error.node.span, reason=error.reason)]) from error


def _lower(family: ast.Family) -> ir.Package:
    objective = terms.objective(family)
    process = objective.process
    clock = Clock(process.arrows)
    told = _condition(family, clock)
    noising = noise(objective, clock, told) if process.arrows else None
    network = _network(family)
    losses = loss(objective, clock, told)
    likely = likelihood(objective, clock, told)
    decoding = decoders(family, clock)
    read = reading(family, clock)
    layouts = collate(family)
    states = process.states if process.clocks > 1 else ()
    clocks = tuple(clock.to(state).use("corrupted") for state in states)
    schedule = clock.view()
    absent = {"schedule.py"} if schedule is None else set[str]()
    absent |= {"noise.py"} if noising is None else set()
    absent |= {"likelihood.py"} if likely is None else set()
    return ir.Package(
        name=family.name.id,
        source=family.name.span.source.name,
        init=_init(objective, absent),
        schedule=schedule,
        noise=noising,
        network=network,
        loss=losses,
        likelihood=likely,
        reading=read,
        decoder=decoding,
        collate=layouts,
        family=_family(objective, decoding, layouts, clocks, likely),
    )


def _condition(family: ast.Family, clock: Clock) -> Code | None:
    """What the trunk is told beside the tokens, as code over `noised`."""
    told = query.condition(family)
    if told is None or not isinstance(told.value, ast.Name):
        return None
    t = variable("t", Rank.ROW, Kind.DOUBLE, "noised.t").code
    return t if told.value.id == "t" else called(clock.use("sigma"), t)


def _network(family: ast.Family) -> ir.Network:
    backbone = query.the(query.entries(family, "network"), ast.Backbone)
    ordered = Process.of(family).ordered
    heads = tuple(
        ir.Head(
            name=head.name,
            kind=head.kind.id,
            at=head.at.id if head.at is not None else "",
            shifted=head.shifted,
            size=query.size(head),
            following=ordered,
        )
        for head in query.heads(family).values()
    )
    told = query.condition(family)
    condition = told.value.id if told is not None and isinstance(told.value, ast.Name) else ""
    if backbone.python is not None:
        module, _, name = backbone.python.value.partition(":")
        return ir.Network(name, "", _library("", ()), module, condition, "", heads)
    word = backbone_words()[query.backbone(family)]
    layers = word.full
    if condition:
        layers = word.conditioned or layers
    elif ordered:
        layers = (word.caching if _keeps_past(family) else word.causal) or layers
    published = _published(family)
    names = tuple(filter(None, (layers.network, layers.block)))
    more = ("shape_of",) if published else () if layers.module == "backbone" else ("Past",)
    imports = _library(layers.module, (*names, *more))
    return ir.Network(layers.network, layers.block, imports, "", condition, published, heads)


def _library(home: str, names: tuple[str, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the imports of `network.py`: the layers from their module, and what heads need."""
    heads = ("allowed_logits", "answer", "linear")
    found = {"backbone": heads if home != "backbone" else (*heads, *names)}
    found |= {home: names} if home not in ("", "backbone") else {}
    return tuple((module, tuple(sorted(some))) for module, some in found.items())


def _published(family: ast.Family) -> str:
    """The head that published weights have: the first one of logits."""
    word = backbone_words().get(query.backbone(family))
    heads = query.heads(family).values() if word is not None and word.published else ()
    return next((head.name for head in heads if head.kind.id == "logits"), "")


def _keeps_past(family: ast.Family) -> bool:
    """Whether a decoder keeps what the network made of a prefix."""
    reuses = [query.first(section.entries, ast.Reuse) for section in query.decoders(family)]
    return any(reuse is not None and reuse.what.id == "prefix" for reuse in reuses)


def _packs(family: ast.Family) -> bool:
    """Whether documents in one row are kept apart: by a backbone of ours, where no token moves."""
    backbone = query.the(query.entries(family, "network"), ast.Backbone)
    return Process.of(family).holds_places and backbone.python is None


def _init(objective: Objective, absent: set[str]) -> ir.Init:
    family = objective.family
    value, why = claim(objective)
    ordered = objective.process.ordered
    files = FILES | ({"decoder.py": "from a prompt to text"} if ordered else {})
    papers = []
    for paper in family.papers:
        arxiv = f", https://arxiv.org/abs/{paper.arxiv.value}" if paper.arxiv else ""
        papers.append(f"{paper.citation.value}{arxiv}.")
    return ir.Init(
        name=family.name.id,
        title=_title(family),
        doc=family.doc,
        claim=f"{value}: {why}",
        papers=tuple(papers),
        files=tuple((name, what) for name, what in files.items() if name not in absent),
    )


def _title(family: ast.Family) -> str:
    return family.title.value if family.title is not None else family.name.id


def _family(
    objective: Objective,
    decoding: ir.Decoders,
    layouts: ir.Collate,
    clocks: tuple[str, ...],
    likely: ir.Likelihood | None,
) -> ir.Family:
    family, process = objective.family, objective.process
    value, why = claim(objective)
    parts = {part for y in layouts.layouts for part in (*y.before, *y.inside, *y.after)}
    needed = ("pad", *(["mask"] if process.masks else []), *parts)
    shared, published = recipes(family)
    stop = likely.stop if likely is not None else ""
    return ir.Family(
        name=family.name.id,
        title=_title(family),
        claim=value,
        why=why,
        tilt=tilt(objective),
        trained=trained(objective),
        specials=tuple(name for name in query.SPECIALS if name in needed),
        layouts=tuple((y.name, y.klass) for y in layouts.layouts),
        classes=tuple(d.klass for d in decoding.decoders),
        loss="loss",
        decoders=tuple((d.name, d.klass) for d in decoding.decoders),
        params=(("loss", loss_params(objective)), *((d.name, d.params) for d in decoding.decoders)),
        samples=tuple((d.name, samples(d, process, stop)) for d in decoding.decoders),
        shared=shared,
        recipes=published,
        likelihood=likely is not None,
        published=_published(family),
        repo=query.pretrained(family),
        ending=tuple(d.name for d in decoding.decoders if d.ends),
        noise=not process.ordered,
        inserts=process.drops,
        packs=_packs(family),
        clocks=clocks,
    )
