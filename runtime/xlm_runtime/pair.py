"""Whether a family and a task fit each other; neither knows the other."""

from itertools import pairwise

from xlm_runtime.data import Prepared
from xlm_runtime.errors import UsageError
from xlm_runtime.plug import Family
from xlm_runtime.tasks.task import Task

_LOOK = 256  # examples of each split that are looked at


def check_layout(family: Family, task: Task) -> None:
    """Whether the family lays out what the task has.  Raises UsageError."""
    if task.layout not in family.layouts:
        raise UsageError(
            f"{family.name} has no layout '{task.layout}', which task {task.name} needs; it has: "
            f"{', '.join(family.layouts)}"
        )


def check(family: Family, task: Task) -> None:
    """What can be said before there are data.  Raises UsageError with the reason."""
    check_layout(family, task)
    if task.packed and not family.packs:
        why = (
            "its tokens move as noise grows, so that the gap between two documents belongs to "
            "neither, and what it says of a whole row would be said of several documents"
            if family.inserts
            else "its network is not known to keep the documents of a row apart"
        )
        raise UsageError(
            f"{family.name} takes no packed rows, which task {task.name} has: {why}; choose a task "
            "with one text in each row, such as lm1b or owt"
        )


def check_settings(task: Task, *, prompt: int, made: bool) -> None:
    """Raises UsageError for settings of the data that mean nothing to a task."""
    if prompt and task.layout != "seq2seq":
        raise UsageError(f"data.prompt={prompt}: task {task.name} has no prompts")
    if made and not task.makes:
        raise UsageError(f"data.made=true: the problems of task {task.name} cannot be made")


def check_data(family: Family, task: Task, prepared: Prepared, *, chat: bool) -> None:
    """What the data decide.  Raises UsageError with the reason."""
    if chat and task.layout == "text":
        raise UsageError(f"data.chat=true: task {task.name} has no prompts to put into a chat")
    if chat:
        prepared.tokenizer.chat("")
    if getattr(family.layouts[task.layout], "begins", False) and _gives_later(prepared):
        raise UsageError(
            f"{family.name} writes from left to right and can be given a beginning only, while "
            f"task {task.name} gives tokens behind others that are to be found"
        )


def _gives_later(prepared: Prepared) -> bool:
    """Whether any example that is looked at gives a token behind one that it does not give."""
    splits = (prepared.train, prepared.validation, prepared.test)
    examples = (split[i] for split in splits for i in range(min(len(split), _LOOK)))
    return any(later > before for one in examples for before, later in pairwise(one.given))
