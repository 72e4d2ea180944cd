"""A checked tree becomes the IR: every decision is made here."""

from xlmc.calculus.code import Code, Kind, Rank, built, called, variable
from xlmc.diagnostics.diagnostic import SpecErrors
from xlmc.diagnostics.semantic_errors import TooHard
from xlmc.lower import blocks, drafts, ir, second
from xlmc.lower.claims import samples
from xlmc.lower.classes import clocked
from xlmc.lower.clock import Clock
from xlmc.lower.collate import collate
from xlmc.lower.decoder import decoders
from xlmc.lower.heads import head
from xlmc.lower.likelihood import likelihood
from xlmc.lower.loss import loss, loss_params
from xlmc.lower.noise import drawn_order, noise
from xlmc.lower.reading import reading
from xlmc.lower.recipes import recipes
from xlmc.syntax import ast, query
from xlmc.syntax.expression import MathError
from xlmc.theory.claims import KEPT, SHORTER, UNKNOWN, by_rates, claim, tilt, trained
from xlmc.theory.instances import instances, read
from xlmc.theory.objective import Objective
from xlmc.theory.process import Process
from xlmc.words import terms
from xlmc.words.backbones.base import Backbone, Layers
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
    """Lower a family that has been checked.

    Raises:
        SpecErrors: if the calculus cannot derive what the family needs.
    """
    try:
        return _lower(family)
    except MathError as error:
        raise SpecErrors([TooHard(span=error.node.span, reason=error.reason)]) from error


def _lower(written: ast.Family) -> ir.Package:
    beside = query.param_beside(written)
    given = dict.fromkeys((*read(written), *([beside] if beside is not None else [])))
    size = beside if beside is not None and beside.kind != "Chance" else None
    family, *others = (one.family for one in instances(written))
    objective = terms.objective(written)
    process = objective.process
    clock = _clock(written, family, tuple(given), size)
    told = _condition(family, clock)
    noising = noise(objective, clock, told) if process.arrows else None
    noising = drawn_order() if process.permuted else noising
    network = _network(family, clock, second.network(written))
    losses = loss(objective, clock, told)
    likely = likelihood(objective, clock, told, noising)
    decoding = decoders((family, *others), clock)
    reads = reading(family, clock)
    layouts = collate(family)
    timed = process.clocks > 1 or (likely is not None and by_rates(objective))
    states = process.states if timed and not process.scaled else ()
    clocks = tuple(clock.to(state).use("corrupted") for state in states)
    schedule = clock.view()
    bound = _bound(clock, noising, network, losses, likely, decoding)
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
        reading=reads,
        decoder=decoding,
        collate=layouts,
        family=_family(objective, decoding, layouts, clocks, likely, clock.params, bound),
    )


def _clock(
    written: ast.Family, family: ast.Family, given: tuple[ast.Param, ...], size: ast.Param | None
) -> Clock:
    """Return the clocks; with scales those at scales of 1, which ``family`` has."""
    if Process.of(written).scaled:
        return Clock(query.arrows(family), scaled=True)
    learned = tuple(one.name for one in query.learned(written))
    return Clock(query.arrows(written), given, size, query.constants(written), learned)


def _bound(
    clock: Clock,
    noising: ir.Noise | None,
    network: ir.Network,
    losses: ir.Loss,
    likely: ir.Likelihood | None,
    decoding: ir.Decoders,
) -> tuple[str, ...]:
    """Return the functions and classes that take the clock."""
    if clock.learned:
        return ()
    found = [*clock.clocked]
    found += ["corrupt"] if noising is not None and noising.more else []
    found += ["draft"] if noising is not None and noising.law and noising.law.taken else []
    found += ["amount"] if noising is not None and noising.taken else []
    found += ["Network"] if network.told.clock else []
    found += ["loss"] if clock.moves(dict(losses.imports).get("schedule", ())) else []
    found += ["nelbo"] if likely is not None and likely.more else []
    found += clocked(decoding.classes)
    return tuple(sorted(found))


def _condition(family: ast.Family, clock: Clock) -> Code | None:
    """Return the trunk's input other than the tokens, as code over `noised`."""
    told = query.condition(family)
    if told is None or not isinstance(told.value, ast.Name):
        return None
    t = variable("t", Rank.ROW, Kind.DOUBLE, "noised.t").code
    return t if clock.tells(told.value.id) == "t" else called(clock.use("sigma"), t)


def _network(family: ast.Family, clock: Clock, clocks: ir.Second | None) -> ir.Network:
    backbone = query.the(query.entries(family, "network"), ast.Backbone)
    process, published = Process.of(family), _published(family)
    heads = tuple(head(one, family) for one in query.heads(family).values())
    told, learned = _told(family, clock), bool(clock.learned)
    if backbone.python is not None:
        module, _, name = backbone.python.value.partition(":")
        return ir.Network(
            backbone=name,
            block="",
            imports=_library(None, clocks, learned=learned),
            module=module,
            told=told,
            published="",
            heads=heads,
            second=clocks,
        )
    word, carry = backbone_words()[query.backbone(family)], query.carry(family)
    layers = _layers(word, family, timed=bool(told.parameter))
    shaped = bool(published) and not word.adapted
    return ir.Network(
        backbone=layers.network,
        block=layers.block,
        imports=_library(layers, clocks, shaped=shaped, blocked=process.blocked, learned=learned),
        module="",
        told=told,
        published=published,
        adapted=word.adapted,
        heads=heads,
        blocks=blocks.size(family, "self."),
        caches=process.ordered and layers == word.caching,
        carried=carry.name if carry is not None else "",
        second=clocks,
        permuted=process.permuted,
        holds=_holds(family),
    )


def _noised(objective: Objective) -> tuple[str, ...]:
    """Return the functions of the noise that a family has; none where nothing is corrupted."""
    if objective.process.ordered:
        return ()
    return ("amount", "corrupt", *(["draft"] if objective.brought else []))


def _layers(word: Backbone, family: ast.Family, *, timed: bool) -> Layers:
    """Return the layers of a backbone that a family needs; ``timed``: they are given a time."""
    process, found = Process.of(family), word.full
    if _holds(family):
        return word.partial or found
    if query.carry(family) is not None:
        return word.carrying or found
    if process.permuted:
        return word.permuted or found
    if process.blocked:
        keeping = word.blockwise_caching if _keeps_past(family) else None
        return keeping or word.blockwise or found
    if timed:
        return word.conditioned or found
    if process.ordered:
        return (word.caching if _keeps_past(family) else word.causal) or found
    return found


def _told(family: ast.Family, clock: Clock) -> ir.Told:
    """Return the condition of the trunk. It computes a sigma with params from the time."""
    found = query.condition(family)
    name = found.value.id if found is not None and isinstance(found.value, ast.Name) else ""
    if taken := blocks.taken(family):
        return ir.Told(clock=taken, schedule=clock.imports((), taken))
    if not name:
        return ir.Told()
    read = clock.tells(name)
    parameter = f', {read}: Float[Tensor, " batch"]'
    if read == name:
        return ir.Told(parameter, f", {name}")
    sigma = clock.use("sigma")
    argument = f", {sigma}(t, self.clock)"
    return ir.Told(parameter, argument, ir.TAKEN, clock.imports((sigma,)))


def _library(
    layers: Layers | None,
    clocks: ir.Second | None,
    *,
    shaped: bool = False,
    blocked: bool = False,
    learned: bool = False,
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the imports of `network.py`: the layers from their modules, and what heads need."""
    found = {"backbone": ["allowed_logits", "answer", "linear"]}
    if layers is not None:
        own = found.setdefault(layers.module, [])
        own.append(layers.network)
        own += ["shape_of"] * shaped
        own += ["Past"] * (not shaped and not layers.home and layers.module != "backbone")
    if layers is not None and layers.block:
        found.setdefault(layers.home or layers.module, []).append(layers.block)
    found |= {"blocks": ["block_of"]} if blocked else {}
    found |= {"clocks": ["scale"], "schedule": ["Clock"]} if learned else {}
    if clocks is not None and clocks.backbone:
        found["backbone"] += [clocks.backbone, *([clocks.block] if clocks.block else [])]
        found |= {"clocks": ["scale"], "fates": ["Scales"]}
    return tuple((module, tuple(sorted({*some}))) for module, some in sorted(found.items()))


def _published(family: ast.Family) -> str:
    """Return the head that published weights have: the first one of logits."""
    word = backbone_words().get(query.backbone(family))
    heads = query.heads(family).values() if word is not None and word.published else ()
    return next((head.name for head in heads if head.kind.id == "logits"), "")


def _adapted(family: ast.Family) -> bool:
    """Return whether the backbone is an architecture of transformers."""
    word = backbone_words().get(query.backbone(family))
    return word is not None and word.adapted


def _keeps_past(family: ast.Family) -> bool:
    """Return whether a decoder keeps the network's states of a prefix."""
    reuses = [query.first(section.entries, ast.Reuse) for section in query.decoders(family)]
    return any(reuse is not None and reuse.what.id == "prefix" for reuse in reuses)


def _holds(family: ast.Family) -> bool:
    """Return whether a decoder keeps the network's states of all but a part of a row."""
    reuses = [query.first(section.entries, ast.Reuse) for section in query.decoders(family)]
    return any(reuse is not None and reuse.part is not None for reuse in reuses)


def _packs(family: ast.Family) -> bool:
    """Return whether documents in a row are separate: by a backbone of ours, if no token moves.

    Blocks would end with each document, and show the network where that is.
    """
    backbone = query.the(query.entries(family, "network"), ast.Backbone)
    alone = backbone.python is not None or query.sized(family) is not None
    process = Process.of(family)
    return process.holds_places and not (process.blocked or process.permuted or alone)


def _init(objective: Objective, absent: set[str]) -> ir.Init:
    family = objective.family
    value, why = claim(objective)
    onward = objective.process.rightward
    files = FILES | ({"decoder.py": "from a prompt to text"} if onward else {})
    if objective.process.learned:  # the noise reads what the network answers
        first = ("schedule.py", "network.py")
        files = {name: files[name] for name in (*first, *(f for f in files if f not in first))}
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


TILTS = {  # as functions of a length
    KEPT: None,
    SHORTER: built("lambda length: 1 / (length + 1)"),
    UNKNOWN: built("None"),
}


def _title(family: ast.Family) -> str:
    return family.title.value if family.title is not None else family.name.id


def _family(
    objective: Objective,
    decoding: ir.Decoders,
    layouts: ir.Collate,
    clocks: tuple[str, ...],
    likely: ir.Likelihood | None,
    params: tuple[ir.Param, ...],
    bound: tuple[str, ...],
) -> ir.Family:
    family, process = objective.family, objective.process
    value, why = claim(objective)
    parts = {part for y in layouts.layouts for part in y.parts}
    law = drafts.law(family)
    drafted = law.specials if law is not None else ()
    needed = ("pad", *(["mask"] if process.masks else []), *drafted, *parts)
    shared, published = recipes(family)
    stop = likely.stop if likely is not None else ""
    return ir.Family(
        name=family.name.id,
        title=_title(family),
        claim=value,
        why=why,
        tilt=TILTS[tilt(objective)],
        trained=trained(objective),
        specials=tuple(name for name in query.SPECIALS if name in needed),
        layouts=tuple((y.name, y.klass) for y in layouts.layouts),
        classes=tuple(d.klass for d in decoding.decoders),
        loss=ir.made("loss", bound),
        decoders=tuple((d.name, d.klass) for d in decoding.decoders),
        clock="Clock" if params else "",
        bound=bound,
        network=ir.made("Network", bound),
        amount=ir.made("amount", bound),
        corrupt=ir.made("corrupt", bound),
        nelbo=ir.made("nelbo", bound) if likely is not None else "None",
        schedule=(*(["Clock"] if params else []), *sorted(clocks)),
        params=(
            *([("noise", params)] if params else []),
            ("loss", loss_params(objective)),
            *((d.name, d.params) for d in decoding.decoders),
        ),
        samples=tuple((d.name, samples(d, process, stop)) for d in decoding.decoders),
        shared=shared,
        recipes=published,
        likelihood=likely is not None,
        published=_published(family),
        adapted=_adapted(family),
        repo=query.pretrained(family),
        ending=tuple(d.name for d in decoding.decoders if d.ends),
        noise=_noised(objective),
        inserts=process.drops or query.sized(family) is not None,
        packs=_packs(family),
        clocks=tuple(ir.made(name, bound) for name in clocks),
        learned=process.learned,
        draft=ir.made("draft", bound) if objective.brought else "",
    )
