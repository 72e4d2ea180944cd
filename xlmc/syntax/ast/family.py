"""The whole of a spec: its sections, papers and recipes."""

from attrs import field, frozen

from xlmc.syntax.ast.entries import Drop
from xlmc.syntax.ast.expressions import Expr, Name, Node, String


@frozen
class Setting(Node):
    """``learning_rate 1e-4``, ``decoder.top_k 1``: a path of a run's configuration and a value."""

    path: str
    value: Expr


@frozen
class Recipe(Node):
    """``recipe owt, lm1b { batch 64 }``: published settings for tasks; parents' ones to drop.

    One without tasks holds what all recipes have in common.
    """

    tasks: tuple[Name, ...]
    settings: tuple[Setting, ...]
    drops: tuple[Drop, ...] = ()

    @property
    def title(self) -> str:
        """Its tasks as they are written."""
        return ", ".join(task.id for task in self.tasks)

    @property
    def header(self) -> str:
        """The words before its brace."""
        return f"recipe {self.title}" if self.tasks else "recipe"


@frozen
class Section(Node):
    """A block of entries: kind is ``noise``, ``network``, ``loss``, ``decoder`` or ``collate``.

    ``name`` is that of a named decoder; ``replace`` drops what the parent had, and ``drop`` the
    decoder itself: ``drop decoder sampled``.
    """

    kind: str
    entries: tuple[Node, ...]
    name: str | None = None
    replace: bool = False
    drop: bool = False


@frozen
class Paper(Node):
    """``paper "Sahoo et al. 2024" arxiv "2406.07524"``."""

    citation: String
    arxiv: String | None = None


@frozen
class Family(Node):
    """A whole spec; ``doc`` is the comment directly above it."""

    name: Name
    title: String | None
    parent: Name | None
    papers: tuple[Paper, ...]
    sections: tuple[Section, ...]
    recipes: tuple[Recipe, ...]
    doc: str = field(default="", eq=False)
