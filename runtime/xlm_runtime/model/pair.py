"""Checks that a family and a task fit each other; neither imports the other."""

from collections.abc import Callable, Mapping
from itertools import pairwise

from xlm_runtime.plug import Family, Layout
from xlm_runtime.system.errors import UsageError
from xlm_runtime.tasks.base.prepared import Prepared
from xlm_runtime.tasks.base.task import Task

_LOOK = 256  # examples of each split that are looked at


def check_layout(family: Family, task: Task) -> None:
    """Check that the family has the layout of a task.  Raises UsageError."""
    if task.layout not in family.layouts:
        raise UsageError(
            f"{family.name} has no layout '{task.layout}', which task {task.name} needs; it has: "
            f"{', '.join(family.layouts)}"
        )


def check(family: Family, task: Task) -> None:
    """Check the conditions that need no data.  Raises UsageError with the reason."""
    check_layout(family, task)
    if task.packed and not family.packs:
        why = (
            "its tokens move as noise grows, so that the gap between two documents belongs to "
            "neither, and its predictions for a row would mix several documents"
            if family.inserts
            else "its network is not known to keep the documents of a row apart"
        )
        raise UsageError(
            f"{family.name} cannot train on packed rows, as task {task.name} has: {why}; choose "
            f"a task "
            "with one text in each row, such as lm1b or owt"
        )


def check_drafts(family: Family, columns: Mapping[str, str]) -> None:
    """Check that drafts of the data are for a family that reads them.  Raises UsageError."""
    if "draft" in columns and family.draft is None:
        raise UsageError(f"--columns draft={columns['draft']}: {no_draft(family)}")


def no_draft(family: Family) -> str:
    """Return the reason why a family takes no draft, and what to do."""
    return (
        f"{family.name} does not make its texts of drafts: leave it out, or take a family whose "
        "noise has `draft ~ copy(RATE)`"
    )


def check_settings(task: Task, *, prompt: int, made: bool) -> None:
    """Check the settings of the data against a task.  Raises UsageError for meaningless ones."""
    if prompt and task.layout != "seq2seq":
        raise UsageError(f"data.prompt={prompt}: task {task.name} has no prompts")
    if made and not task.makes:
        raise UsageError(f"data.made=true: the problems of task {task.name} cannot be made")


def decides(family: Family, layout: Layout | Callable[..., Layout]) -> str:
    """Return why the user cannot set the length of a text; empty if it can be set."""
    if family.inserts:
        return f"{family.name} decides itself how many tokens it inserts"
    if family.corrupt is None:
        return f"{family.name} ends a text itself"
    fills = getattr(layout, "fills", False)
    return "the layout of the run predicts where a text ends" if fills else ""


def check_length(family: Family, task: Task, prepared: Prepared, length: int) -> None:
    """Check that ``generate.length`` is meaningful, if it is not 0.  Raises UsageError."""
    if not length:
        return
    reason = decides(family, family.layouts[task.layout])
    if length > prepared.body:
        reason = f"there is room for {prepared.body} tokens"
    elif any(prepared.test[0].given):
        reason = "the task gives tokens, and with them the length"
    if reason:
        raise UsageError(f"generate.length={length}: {reason}")


def check_data(
    family: Family, task: Task, prepared: Prepared, *, chat: bool, length: int = 0
) -> None:
    """Check the conditions that depend on the data.  Raises UsageError with the reason."""
    check_length(family, task, prepared, length)
    if chat and task.layout == "text":
        raise UsageError(f"data.chat=true: task {task.name} has no prompts to put into a chat")
    if chat:
        prepared.tokenizer.chat("")
    if getattr(family.layouts[task.layout], "begins", False) and _gives_later(prepared):
        raise UsageError(
            f"{family.name} can only be given the beginning of a text, while "
            f"task {task.name} gives tokens behind others that are to be predicted"
        )


def _gives_later(prepared: Prepared) -> bool:
    """Return whether some of the first examples give a token after one that is not given."""
    splits = (prepared.train, prepared.validation, prepared.test)
    examples = (split[i] for split in splits for i in range(min(len(split), _LOOK)))
    return any(later > before for one in examples for before, later in pairwise(one.given))
