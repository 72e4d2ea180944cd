"""The code of decoders: classes, and the methods that they are put together from.

Two methods are equal if their code is, whatever decoder they come from: classes share them.
"""

from attrs import field, frozen

from xlmc.calculus.code import Code

Lines = tuple[tuple[str, Code], ...]  # assignments: the name of a variable, and its value

LIBRARY = {  # what the methods of decoders take from the modules that are copied
    "appending": "Appending",
    "correcting": "Correcting",
    "canvas": "Canvas Decoding at_least_one",
    "counts": "expected poisson",
    "deleting": "surely_edited",
    "editing": "Editing begun comes edited either",
    "ending": "cut_off fill_up go_no_further",
    "extending": "Extending extended last_block",
    "filling": "Filling Revising blocks_so_far events in_block in_first_block "
    "mean_time steps_left uniform_blocks",
    "gaps": "at_gaps of_gap per_row shares",
    "growing": "Growing Measured RevisingGrowing drop_right skip_row",
    "guidance": "free_places given guided last_token led open_gaps prompt prompt_alone",
    "holding": "Holding at_block",
    "inserting": "Drawn Inserting Oracle",
    "keeping": "Caching GuidedCaching",
    "lengths": "bounded length_logits",
    "ordering": "Ordering",
    "places": "above factored few_errors first floored left_of leftmost mean otherwise spread "
    "surest weighted",
    "posterior": "likeliest_revision revised",
    "ratios": "changed returned stepped",
    "rating": "Moving Rating RatingGrowing rated sureness",
    "recalling": "GuidedRecalling GuidedRecallingMoving Recalling RecallingMoving",
    "remembering": "Remembering",
    "resuming": "Resuming",
    "sampling": "categorical confidence drawn gumbel likeliest margin negative_entropy "
    "tempered_chance truncated",
    "mending": "Mending MendingOnward ResumingSettling",
    "settling": "settled unsettled",
    "network": "Network",
    "noise": "draft level_at",
    "sizing": "Sized",
    "substituting": "Restoring Substituting",
    "ticks": "Tick end still uniform",
}


def _doc() -> tuple[str, ...]:
    """Declare the paragraphs of a docstring, which two equal methods need not share."""
    made: tuple[str, ...] = field(eq=False, kw_only=True)
    return made


def _partial(name: str) -> str:
    """Declare the template of a method."""
    made: str = field(default=f"decoder/{name}.j2", init=False)
    return made


@frozen
class Field:
    """A param of a decoder."""

    name: str  # name
    python: str  # code: its type
    default: str  # code, behind a `=`; "" where a value must be given


@frozen
class State:
    """The class that holds the rows being decoded, if not ``Canvas`` itself."""

    name: str  # name
    partial: str = _partial("state")


@frozen
class Ticks:
    """The clock of the steps."""

    code: Code
    summary: str
    partial: str = _partial("ticks")


@frozen
class Candidates:
    """The masks that a step may reveal, where these are not all."""

    code: Code
    doc: tuple[str, ...] = _doc()
    partial: str = _partial("candidates")


@frozen
class Guided:
    """A query of the network with guidance."""

    head: str  # name
    without: str  # name of a function
    scale: Code
    doc: tuple[str, ...] = _doc()
    partial: str = _partial("guide")


@frozen
class Led:
    """A query of the network with guidance away from rows that lack some tokens."""

    head: str
    other: Code  # the canvas without them
    read: str  # name of a function
    scale: Code
    doc: tuple[str, ...] = _doc()
    partial: str = _partial("led")


@frozen
class Gaps:
    """A query of the network at the open gaps."""

    head: str  # name
    partial: str = _partial("gaps")


@frozen
class Ends:
    """The edit of a row whose text holds a string that the run names."""

    edit: str  # name of a function
    doc: tuple[str, ...] = _doc()
    partial: str = _partial("ends")


@frozen
class Draw:
    """A draw of tokens from logits."""

    code: Code  # over logits and u
    summary: str
    partial: str = _partial("draw")


@frozen
class Scores:
    """The scores of masks by a choice."""

    name: str  # scores or errors
    param: str  # name of the choice
    arguments: tuple[str, ...]  # code: names and types
    cases: tuple[tuple[str, Code], ...]
    doc: tuple[str, ...]
    partial: str = _partial("scores")


@frozen
class Edited:
    """An edit that reads the network's answer, and what its partial can use."""

    places: str  # name
    logits: Code  # at the places
    token: Code  # drawn from the logits, one for each place
    partial: str  # template


@frozen
class Reveal:
    """A step that reveals masks, and may edit other places and insert masks."""

    head: str  # name
    before: Lines  # all that needs no answer of the network
    asked: str  # code: the places at which logits are read
    idle: bool  # there may be none
    state: Code  # the canvas if there are none
    query: str  # template
    after: Lines
    result: Code
    looked: Lines = ()  # behind the query, before the logits are those of masks alone
    edits: tuple[Edited, ...] = ()  # then
    doc: tuple[str, ...] = _doc()
    partial: str = _partial("reveal")
    method: str = "step"  # its name


@frozen
class Spread:
    """A step that inserts tokens into the gaps that a rule chooses, one at most into each."""

    lines: Lines  # behind the query of the network
    result: Code
    doc: tuple[str, ...] = _doc()
    partial: str = _partial("spread")


@frozen
class Finish:
    """The last step, which reveals the masks that are left."""

    head: str  # name
    query: str  # template
    after: Lines
    token: Code
    asked: str  # code: the places at which logits are read
    doc: tuple[str, ...] = _doc()
    partial: str = _partial("finish")


@frozen
class Asked:
    """The chance of an event by a head of the hidden state at a special token."""

    name: str  # name
    at: str
    chance: Code


@frozen
class Stops:
    """The rows that end before a step, by heads."""

    asked: tuple[Asked, ...]
    code: Code
    doc: tuple[str, ...] = _doc()
    partial: str = _partial("stops")


@frozen
class Pick:
    """The choice of a gap and a token."""

    gap: Code | None
    token: Code | None
    partial: str  # template
    doc: tuple[str, ...] = _doc()


@frozen
class Append:
    """A step that appends one token."""

    head: str  # name
    query: str  # template
    result: Code
    doc: tuple[str, ...] = _doc()
    partial: str = _partial("append")


@frozen
class Brought:
    """The drafts that rows bring, before the first step."""

    doc: tuple[str, ...] = _doc()
    partial: str = _partial("brought")


@frozen
class Begin:
    """The draft before the first step."""

    draft: Code
    doc: tuple[str, ...] = _doc()
    partial: str = _partial("begin")


@frozen
class Length:
    """The draw of the number of places of a row."""

    head: str  # name
    at: str
    code: Code
    doc: tuple[str, ...] = _doc()
    partial: str = _partial("length")


Steps = Reveal | Spread | Finish | Stops | Ends | Pick | Append
Part = (
    State
    | Begin
    | Brought
    | Length
    | Ticks
    | Candidates
    | Guided
    | Led
    | Gaps
    | Draw
    | Scores
    | Steps
)


@frozen
class Class:
    """A class of `decoder.py`: a decoder, or what several share."""

    name: str  # name
    bases: tuple[str, ...]  # names
    doc: tuple[str, ...]
    fields: tuple[Field, ...]
    parts: tuple[Part, ...]
