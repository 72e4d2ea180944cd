"""The words of each slot of the language, by their names."""

from collections.abc import Iterator

from xlmc.syntax import ast, query
from xlmc.syntax.vocabulary import Verbs
from xlmc.theory.needs import met
from xlmc.theory.process import Process
from xlmc.words import (
    actions,
    amounts,
    arrows,
    backbones,
    drafts,
    grids,
    guides,
    heads,
    layouts,
    orders,
    registry,
    reuses,
    rules,
    starts,
    stops,
    subjects,
    terms,
    windows,
)
from xlmc.words.actions.base import Action
from xlmc.words.actions.edit import Edit
from xlmc.words.amounts.base import Amount
from xlmc.words.backbones.base import Backbone
from xlmc.words.base import Word
from xlmc.words.drafts.base import Law
from xlmc.words.grids.base import Grid
from xlmc.words.guides.base import Guide
from xlmc.words.heads.base import Head
from xlmc.words.layouts.base import Layout
from xlmc.words.orders.base import Order
from xlmc.words.reuses.base import Reuse
from xlmc.words.rules.base import Rule
from xlmc.words.starts.base import Start
from xlmc.words.stops.base import Stop
from xlmc.words.subjects.base import Subject
from xlmc.words.windows.base import Window


def action_words() -> dict[str, Action]:
    """Return the actions of a step."""
    return registry.words(actions, Action)


def verbs() -> Verbs:
    """Return the verbs of actions ``VERB RULE``, as messages name them."""
    known = action_words().values()
    return {word.verb: word.written for word in known if word.node is ast.Act and word.first}


def ways(node: ast.Action) -> list[Action]:
    """Return the words of the verb of an action: one for each noun or rule that can follow it."""
    found = [word for word in action_words().values() if word.means(node)]
    return sorted(found, key=lambda word: word.first)


def action(node: ast.Action) -> Action:
    """Return the word of an action of a known verb; with a wrong noun the first of that verb."""
    what = node.what.id if isinstance(node, ast.Insert | ast.Pick) else ""
    found = ways(node)
    return next((word for word in found if word.what == what), found[0])


def edits(actions: tuple[ast.Action, ...]) -> list[tuple[ast.Act, Edit]]:
    """Return the actions that are edits, with their words."""
    found = [(one, word) for one in query.those(actions, ast.Act) for word in ways(one)]
    return [(one, word) for one, word in found if isinstance(word, Edit)]


def fitting(actions: tuple[ast.Action, ...], process: Process) -> list[tuple[ast.Act, Edit]]:
    """Return the actions that are edits and have something to do under a process."""
    return [(one, word) for one, word in edits(actions) if not word.why_not(process)]


def chooses(node: ast.Action) -> str:
    """Return the places among which the rule of an action chooses; "" for none."""
    return next((word.chooses for word in ways(node)), "")


def crowds(entries: tuple[ast.Node, ...]) -> bool:
    """Return whether a step of a decoder may insert more than one token into a row."""
    step = query.first(entries, ast.Step)
    insert = query.first(step.actions, ast.Insert) if step is not None else None
    paces = [*query.paces(insert.much)] if insert is not None else []
    known = [rule for one in paces if (rule := rule_words().get(one.rule)) is not None]
    return len(known) > 1 or not all(rule.single for rule in known)


def amount_words() -> dict[str, Amount]:
    """Return the distributions of the amount of noise."""
    return registry.words(amounts, Amount)


def draft_words() -> dict[str, Law]:
    """Return the laws of drafts."""
    return registry.words(drafts, Law)


def law_of_draft(family: ast.Family) -> Law | None:
    """Return the law of the draft of a family; None where it has none that is known."""
    return draft_words().get(query.law_of_draft(family))


def backbone_words() -> dict[str, Backbone]:
    """Return the backbones."""
    return registry.words(backbones, Backbone)


def grid_words() -> dict[str, Grid]:
    """Return the grids of times."""
    return registry.words(grids, Grid)


def grid(entries: tuple[ast.Node, ...]) -> Grid | None:
    """Return the grid of a decoder; None where it has none."""
    found = query.first(entries, ast.Grid)
    return grid_words().get(query.called(found.value)) if found is not None else None


def head_words() -> dict[str, Head]:
    """Return the kinds of heads."""
    return registry.words(heads, Head)


def of_tokens(head: ast.Head) -> bool:
    """Return whether a head answers with tokens, not with a number."""
    word = head_words().get(head.kind.id)
    return word is not None and not word.number


def drawn(family: ast.Family) -> str:
    """Return a head of tokens for a hint; the usual name where a family has none."""
    heads = query.heads(family).items()
    return next((name for name, head in heads if of_tokens(head)), "token")


def layout_words() -> dict[str, Layout]:
    """Return the layouts."""
    return registry.words(layouts, Layout)


def order_words() -> dict[str, Order]:
    """Return the scores by which places are ordered."""
    return registry.words(orders, Order)


def answers() -> dict[str, Order]:
    """Return the scores of the network's answer, which amounts may read."""
    return {name: word for name, word in order_words().items() if word.network}


def rule_words() -> dict[str, Rule]:
    """Return the rules by which an action takes places."""
    return registry.words(rules, Rule)


def subject_words() -> dict[str, Subject]:
    """Return the subjects of a score."""
    return registry.words(subjects, Subject)


def start_words() -> dict[str, Start]:
    """Return the starts of decoders."""
    return registry.words(starts, Start)


def start(process: Process) -> str:
    """Return the start of decoders that undo a process; "" for what is no process."""
    words = start_words().values()
    return next((word.name for word in words if met(word.needs, process)), "")


def stop_words() -> dict[str, Stop]:
    """Return the conditions that end a row."""
    return registry.words(stops, Stop)


def stop_of(one: ast.Condition, family: ast.Family) -> Stop | None:
    """Return the word of a condition; None for what is no condition that ends a row."""
    return next((word for word in stop_words().values() if word.holds(one, family)), None)


def guide_words() -> dict[str, Guide]:
    """Return the ways to guide answers."""
    return registry.words(guides, Guide)


def reuse_words() -> dict[str, Reuse]:
    """Return the conditions under which an answer is used again."""
    return registry.words(reuses, Reuse)


def window_words() -> dict[str, Window]:
    """Return the windows of decoders."""
    return registry.words(windows, Window)


def every() -> Iterator[Word]:
    """Yield all words, slot by slot."""
    yield from arrows.known().values()
    yield from draft_words().values()
    yield from amount_words().values()
    yield from backbone_words().values()
    yield from head_words().values()
    yield from terms.known().values()
    yield from start_words().values()
    yield from action_words().values()
    yield from stop_words().values()
    yield from guide_words().values()
    yield from reuse_words().values()
    yield from rule_words().values()
    yield from order_words().values()
    yield from subject_words().values()
    yield from grid_words().values()
    yield from window_words().values()
    yield from layout_words().values()
