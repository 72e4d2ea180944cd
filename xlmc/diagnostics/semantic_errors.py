"""The messages of the checks about a spec that can be parsed: one class for each mistake."""

from attrs import frozen

from xlmc.diagnostics.diagnostic import Diagnostic

# Names


@frozen(kw_only=True)
class UnknownName(Diagnostic):
    """A name in an expression that does not exist at this place."""

    code = "XLM040"
    title = "unknown name `{name}`"
    label = "not known {where}"
    help = "{hint}"
    name: str
    where: str
    hint: str


@frozen(kw_only=True)
class UnknownWord(Diagnostic):
    """A word that the language does not have in this place."""

    code = "XLM041"
    title = "`{word}` is not {what}"
    label = "expected {known}"
    help = "{hint}"
    word: str
    what: str
    known: str
    hint: str


@frozen(kw_only=True)
class ReservedName(Diagnostic):
    """A name that is a word of the language or of Python."""

    code = "XLM042"
    title = "`{name}` cannot be the name of {what}"
    label = "{why}"
    help = "choose another name"
    name: str
    what: str
    why: str


@frozen(kw_only=True)
class MissingSection(Diagnostic):
    """A family without one of noise, network, loss, decoder and collate."""

    code = "XLM043"
    title = "the family has no `{section}` section"
    label = "this family"
    help = "add `{section} {{ }}`: {purpose}"
    section: str
    purpose: str


@frozen(kw_only=True)
class MissingEntry(Diagnostic):
    """A section without an entry for which there is no default."""

    code = "XLM044"
    title = "this {owner} has no {entry}"
    label = "{why}"
    help = "add `{example}`"
    owner: str = "section"
    entry: str
    why: str
    example: str


@frozen(kw_only=True)
class NotAFunction(Diagnostic):
    """A call of a name that is neither a function nor a schedule."""

    code = "XLM045"
    title = "`{name}` is not a function"
    label = "known functions: {known}"
    help = "{hint}"
    name: str
    known: str
    hint: str


@frozen(kw_only=True)
class WrongArguments(Diagnostic):
    """A function with the wrong number or kind of arguments."""

    code = "XLM046"
    title = "wrong arguments for `{name}`"
    label = "{why}"
    help = "write `{example}`"
    name: str
    why: str
    example: str


@frozen(kw_only=True)
class LetOrder(Diagnostic):
    """A `let` that uses itself, or one that follows it."""

    code = "XLM047"
    title = "`{name}` is used before it is defined"
    label = "a let may use only names defined above it"
    help = "move `let {name}` up, or write its value out"
    name: str


@frozen(kw_only=True)
class NameTaken(Diagnostic):
    """One name for two things in the same scope."""

    code = "XLM048"
    title = "`{name}` is already the name of {holder}"
    label = "{what} needs a name of its own"
    help = "choose another name"
    name: str
    what: str
    holder: str


# Types and ranges


@frozen(kw_only=True)
class WrongType(Diagnostic):
    """A value of one type where another one is needed."""

    code = "XLM050"
    title = "expected {expected}, found {found}"
    label = "{why}"
    help = "{hint}"
    expected: str
    found: str
    why: str
    hint: str


@frozen(kw_only=True)
class OutOfRange(Diagnostic):
    """A literal outside the range of its type."""

    code = "XLM051"
    title = "{value} is not a {kind}"
    label = "{kind}: {meaning}"
    help = "{hint}"
    value: str
    kind: str
    meaning: str
    hint: str


@frozen(kw_only=True)
class ChanceLeavesRange(Diagnostic):
    """An expression that should be a chance but leaves [0, 1] somewhere."""

    code = "XLM052"
    title = "this chance leaves [0, 1]"
    label = "{value} {where}"
    help = (
        "the chance that a token changes between t and s is `reveal(NAME)`, by the name of the "
        "survival; or bound the expression by `min(1, ...)`"
    )
    value: str
    where: str


@frozen(kw_only=True)
class NoValue(Diagnostic):
    """An expression that has no finite real value where it is needed."""

    code = "XLM053"
    title = "this expression {reason}"
    label = "{where}"
    help = "{hint}"
    reason: str
    where: str
    hint: str


@frozen(kw_only=True)
class TooHard(Diagnostic):
    """An expression that xlmc cannot differentiate or simplify in reasonable time."""

    code = "XLM054"
    title = "this expression is too hard for xlmc"
    label = "it {reason}"
    help = "write it with smaller exponents or fewer operations"
    reason: str


# Noise and theory


@frozen(kw_only=True)
class WrongChain(Diagnostic):
    """A chain of states that the compiler cannot compile."""

    code = "XLM070"
    title = "this chain of states is not supported"
    label = "{why}"
    help = "{hint}"
    why: str
    hint: str = (
        "a chain is `none`, `clean -> mask`, `clean -> gone`, `clean -> random`, "
        "`clean -> mask | random`, `clean -> draft`, or the two arrows `clean -> mask` and "
        "`mask -> gone`"
    )


@frozen(kw_only=True)
class WrongShare(Diagnostic):
    """A share of random tokens that no noise leads to."""

    code = "XLM088"
    title = "no noise has this share of {what} tokens"
    label = "{why}"
    note = (
        "a corrupted token becomes a mask or a random one; it then stays so until it is corrupted "
        "again"
    )
    help = "{hint}"
    why: str
    hint: str
    what: str = "random"


@frozen(kw_only=True)
class OtherNoise(Diagnostic):
    """A noise that neither the loss nor the decoder is written for."""

    code = "XLM087"
    title = "the noise is {noise}, but loss and decoder are written for {other}"
    label = "here"
    help = "write {other} here, or write the other sections for {noise}"
    noise: str
    other: str


@frozen(kw_only=True)
class WrongEnd(Diagnostic):
    """A survival that is not 1 at t = 0, or not 0 at t = 1."""

    code = "XLM071"
    title = "this survival is {value} at t = {at}, not {wanted}"
    label = "{schedule}({at}) = {value}"
    help = "{hint}"
    schedule: str
    at: str
    value: str
    wanted: str
    hint: str


@frozen(kw_only=True)
class Rises(Diagnostic):
    """A survival that grows somewhere: tokens would become clean while noise is added."""

    code = "XLM072"
    title = "this survival rises"
    label = "between t = {start} and t = {stop}"
    help = "a survival falls from 1 at t = 0 (data) to 0 at t = 1 (noise); is the time reversed?"
    start: str
    stop: str


@frozen(kw_only=True)
class WrongArgument(Diagnostic):
    """A survival that is no function of t alone."""

    code = "XLM073"
    title = "a survival is a function of `t`"
    label = "it is written as a function of `{name}`"
    help = "write `survival {schedule}(t) = ...`"
    name: str
    schedule: str


@frozen(kw_only=True)
class WrongAmount(Diagnostic):
    """An amount of noise that cannot be drawn."""

    code = "XLM074"
    title = "this amount of noise cannot be drawn"
    label = "{why}"
    help = "{hint}"
    why: str
    hint: str = (
        "write `amount t ~ uniform(0, 1)`, `amount t ~ fixed(0.15)` or "
        "`amount count ~ uniform(0, length)`"
    )


@frozen(kw_only=True)
class Diverges(Diagnostic):
    """A weight whose product with the chance of corruption has no bound."""

    code = "XLM075"
    title = "the weight times the chance of corruption diverges"
    label = "{value} at t = {at}"
    help = "{hint}"
    value: str
    at: str
    hint: str


@frozen(kw_only=True)
class NoBound(Diagnostic):
    """`bound` where the term belongs to no bound of the likelihood."""

    code = "XLM076"
    title = "there is no likelihood bound to weight this term by"
    label = "{why}"
    help = "{hint}"
    why: str
    hint: str


@frozen(kw_only=True)
class NegativeWeight(Diagnostic):
    """A weight below zero, which rewards a wrong answer."""

    code = "XLM077"
    title = "this weight is negative"
    label = "{value} {where}"
    help = "a weight is at least 0"
    value: str
    where: str


@frozen(kw_only=True)
class ZeroWeight(Diagnostic):
    """A weight of 0, under which a head learns nothing."""

    code = "XLM086"
    title = "`{head}` is never trained"
    label = "this weight is 0 everywhere"
    help = "drop the term and the head, or give it a weight"
    head: str


@frozen(kw_only=True)
class Clamped(Diagnostic):
    """A weight that equals the bound's up to a number, and differs from it beyond."""

    code = "XLM079"
    title = "the bound is clamped by a number"
    label = "where it is larger than {limit}, the loss no longer bounds the likelihood"
    help = (
        "make the change of the objective explicit: write `param cap : Scale = {limit}`, "
        "and `cap` in place of the number"
    )
    limit: str


@frozen(kw_only=True)
class NothingToSay(Diagnostic):
    """A head for the end of a text that is never trained on a complete one."""

    code = "XLM078"
    title = "`{head}` is never trained on a row in which no token is `{state}`"
    label = "{why}"
    help = "write `amount count ~ uniform(0, length)`"
    head: str
    state: str
    why: str


@frozen(kw_only=True)
class NoneVisible(Diagnostic):
    """A weight by the visible tokens around a masked one, in a term on other tokens."""

    code = "XLM085"
    title = "`visible` weighs terms on masked tokens only"
    label = "this term is not `on mask`"
    note = "{why}"
    help = "{hint}"
    why: str = "it sums a kernel over the tokens around a mask that are neither masks nor padding"
    hint: str = "use it in the weight of a term `on mask`"


# Network


@frozen(kw_only=True)
class CausalBackbone(Diagnostic):
    """Causal attention under a decoder that reads both sides."""

    code = "XLM100"
    title = "a causal backbone does not see the tokens to the right"
    label = "the decoder fills places in any order"
    help = "write `attention full`"


@frozen(kw_only=True)
class WrongCarry(Diagnostic):
    """A state that cannot go from call to call, for what is beside it."""

    code = "XLM132"
    title = "`{name}` cannot be carried from call to call"
    label = "{why}"
    help = "{hint}"
    name: str
    why: str
    hint: str


@frozen(kw_only=True)
class WrongOrder(Diagnostic):
    """An order of tokens that cannot be drawn, or that something in the family cannot follow."""

    code = "XLM133"
    title = "the tokens cannot be predicted in this order"
    label = "{why}"
    help = "{hint}"
    why: str
    hint: str


@frozen(kw_only=True)
class SeesAhead(Diagnostic):
    """A network that sees the tokens that it is to predict."""

    code = "XLM107"
    title = "the network sees the tokens that it must predict"
    label = "{why}"
    help = "{hint}"
    why: str
    hint: str


@frozen(kw_only=True)
class WrongPlace(Diagnostic):
    """A head that reads its answer at a place where its kind has none."""

    code = "XLM101"
    title = "{kind} cannot be read at {place}"
    label = "{why}"
    help = "write `{example}`"
    kind: str
    place: str
    why: str
    example: str


@frozen(kw_only=True)
class NeverTrained(Diagnostic):
    """A head that the decoder reads and no term of the loss trains."""

    code = "XLM102"
    title = "`{head}` is decoded and never trained"
    label = "read here"
    help = "add a term `{head} : ...` to the loss"
    head: str


@frozen(kw_only=True)
class WrongCondition(Diagnostic):
    """A condition that the backbone cannot have."""

    code = "XLM103"
    title = "the backbone cannot be conditioned on `{name}`"
    label = "{why}"
    help = "{hint}"
    name: str
    why: str
    hint: str


@frozen(kw_only=True)
class RatiosVanish(Diagnostic):
    """Ratios of random tokens under a survival that reaches 0."""

    code = "XLM108"
    title = "the ratios of `{head}` are 1 at t = 1, whatever the text"
    label = "the survival is 0 there: noise at t = 1 tells nothing of the text"
    help = "write a survival that stays above 0, such as `exp(-14 * t)`"
    head: str


@frozen(kw_only=True)
class WrongPath(Diagnostic):
    """A dotted path to Python that is not one."""

    code = "XLM104"
    title = "this does not name a Python object"
    label = "{why}"
    help = (
        'write `backbone python "my_package.my_module:MyBackbone"`, a torch module that is made as '
        "`MyBackbone(vocab, size)` and called as `(xt, attend)`"
    )
    why: str = "expected `package.module:name`"


@frozen(kw_only=True)
class NotLaidOut(Diagnostic):
    """A special token at which a head reads, and that a layout lacks, predicts or has twice."""

    code = "XLM105"
    title = "layout `{layout}` has {number}"
    label = "the head `{head}` reads its answer at the one fixed `{special}` of a row"
    help = "{hint}"
    layout: str
    number: str
    special: str
    head: str
    hint: str


@frozen(kw_only=True)
class NotUndone(Diagnostic):
    """An arrow of the noise that no head can undo."""

    code = "XLM106"
    title = "no head predicts {what}"
    label = "tokens that became `{state}` never come back"
    help = "add `{example}` to the network, and a term to the loss"
    what: str
    state: str
    example: str


@frozen(kw_only=True)
class WrongSize(Diagnostic):
    """A head with a size that its kind cannot have, or without one that it needs."""

    code = "XLM109"
    title = "{problem}"
    label = "{why}"
    help = "{hint}"
    problem: str
    why: str
    hint: str


# Loss


@frozen(kw_only=True)
class WrongTerm(Diagnostic):
    """A divergence that does not fit its head or the noise."""

    code = "XLM110"
    title = "`{divergence}` does not fit here"
    label = "{why}"
    help = "{hint}"
    divergence: str
    why: str
    hint: str


# Decoder


@frozen(kw_only=True)
class Unsupported(Diagnostic):
    """A meaningful combination that this compiler cannot compile yet."""

    code = "XLM119"
    title = "xlmc does not support {what} yet"
    label = "{why}"
    help = "{hint}"
    what: str
    why: str
    hint: str


@frozen(kw_only=True)
class DoesNotUndo(Diagnostic):
    """A decoder without the action that reverses the noise."""

    code = "XLM120"
    title = "this decoder does not undo `{state}`"
    label = "tokens that became `{state}` never come back"
    help = "add `{example}` to the step"
    state: str
    example: str


@frozen(kw_only=True)
class WrongDraft(Diagnostic):
    """A draft that noise cannot make of a text, or that decoding cannot start from."""

    code = "XLM137"
    title = "this draft is not possible"
    label = "{why}"
    help = "{hint}"
    why: str
    hint: str


@frozen(kw_only=True)
class WrongAction(Diagnostic):
    """An action, or another entry of a decoder, that has no use under this noise."""

    code = "XLM121"
    title = "`{action}` cannot be used here"
    label = "{why}"
    help = "{hint}"
    action: str
    why: str
    hint: str


@frozen(kw_only=True)
class WrongRule(Diagnostic):
    """A rule for the number of tokens that does not fit this action or order."""

    code = "XLM122"
    title = "`{rule}` cannot be used here"
    label = "{why}"
    help = "{hint}"
    rule: str
    why: str
    hint: str


@frozen(kw_only=True)
class NeedsGrid(Diagnostic):
    """A time or a number of steps in a decoder without a grid."""

    code = "XLM123"
    title = "`{name}` needs a grid of times"
    label = "this decoder has no grid"
    help = "add `grid uniform(steps)` and `param steps : Count = 128`"
    name: str


@frozen(kw_only=True)
class NeverEnds(Diagnostic):
    """A decoder that could go on for ever."""

    code = "XLM124"
    title = "this decoder may never end"
    label = "{why}"
    help = "{hint}"
    why: str
    hint: str


@frozen(kw_only=True)
class WrongReuse(Diagnostic):
    """Reuse of an answer that changes although the tokens do not."""

    code = "XLM125"
    title = "the network's answer cannot be reused"
    label = "{why}"
    help = "{hint}"
    why: str
    hint: str = "drop `reuse`"


@frozen(kw_only=True)
class WrongStart(Diagnostic):
    """A start that is not the end of the noise."""

    code = "XLM126"
    title = "decoding starts where the noise ends"
    label = "{why}"
    help = "write `start {start}`"
    why: str
    start: str


@frozen(kw_only=True)
class WrongSizedStart(Diagnostic):
    """A start with a number of masks that no head can give."""

    code = "XLM136"
    title = "no head can give the number of masks that a row starts with"
    label = "{why}"
    help = "{hint}"
    why: str
    hint: str


@frozen(kw_only=True)
class WrongScore(Diagnostic):
    """An order whose parts do not fit together."""

    code = "XLM127"
    title = "this order does not fit"
    label = "{why}"
    help = "{hint}"
    why: str
    hint: str


@frozen(kw_only=True)
class WrongDraw(Diagnostic):
    """A draw or pick whose parts do not fit together."""

    code = "XLM128"
    title = "this draw is not possible"
    label = "{why}"
    help = "{hint}"
    why: str
    hint: str


@frozen(kw_only=True)
class WrongStop(Diagnostic):
    """A condition to stop that cannot be decided."""

    code = "XLM129"
    title = "this condition does not end a row"
    label = "{why}"
    help = "{hint}"
    why: str
    hint: str


@frozen(kw_only=True)
class WrongStep(Diagnostic):
    """A step or finish whose actions are missing or come twice."""

    code = "XLM130"
    title = "{problem}"
    label = "{why}"
    help = "{hint}"
    problem: str
    why: str
    hint: str


@frozen(kw_only=True)
class NoDefaultDecoder(Diagnostic):
    """Named decoders without a default one, which they change."""

    code = "XLM131"
    title = "there is no default decoder"
    label = "a named decoder changes the entries of the default one"
    help = "add `decoder {{ }}` without a name"


@frozen(kw_only=True)
class WrongBlocks(Diagnostic):
    """Blocks that the decoder cannot fill one after the other."""

    code = "XLM140"
    title = "these blocks cannot be filled one by one"
    label = "{why}"
    help = "{hint}"
    why: str
    hint: str


@frozen(kw_only=True)
class WrongGuide(Diagnostic):
    """A guide that the decoder cannot follow."""

    code = "XLM141"
    title = "this guide does not fit"
    label = "{why}"
    help = "{hint}"
    why: str
    hint: str


# Collation


@frozen(kw_only=True)
class WrongBrackets(Diagnostic):
    """A layout whose brackets do not hold the body."""

    code = "XLM150"
    title = "layout `{layout}` needs one pair of brackets around the body"
    label = "{why}"
    help = "write `{example}`"
    layout: str
    why: str
    example: str


@frozen(kw_only=True)
class WrongPrompt(Diagnostic):
    """A prompt where there is none, or none where there should be one."""

    code = "XLM151"
    title = "{why}"
    label = "layout `{layout}`"
    help = "{hint}"
    layout: str
    why: str
    hint: str


@frozen(kw_only=True)
class AnchorAndTarget(Diagnostic):
    """A special that is both fixed and predicted."""

    code = "XLM152"
    title = "`{special}` is both fixed and predicted in layout `{layout}`"
    label = "it is both inside and outside the brackets"
    help = "keep one of the two"
    layout: str
    special: str


@frozen(kw_only=True)
class NoAnchor(Diagnostic):
    """A layout whose first gap belongs to no token."""

    code = "XLM153"
    title = "{what} has no token to its left"
    label = "{why}"
    help = "put a special before the brackets: `{example}`"
    what: str
    why: str
    example: str


@frozen(kw_only=True)
class WrongInside(Diagnostic):
    """A slot inside the brackets that noise cannot corrupt, or that is out of order."""

    code = "XLM154"
    title = "`{slot}` is not allowed here"
    label = "{why}"
    help = "{hint}"
    slot: str
    why: str
    hint: str


@frozen(kw_only=True)
class WrongKeeping(Diagnostic):
    """`keeping` where nothing is given."""

    code = "XLM155"
    title = "{problem}"
    label = "{why}"
    help = "{hint}"
    problem: str
    why: str
    hint: str


@frozen(kw_only=True)
class WrongPadding(Diagnostic):
    """A padding that the layouts cannot have."""

    code = "XLM156"
    title = "`{part}` cannot be padded `{side}`"
    label = "{why}"
    help = "write `pad body right, prompt left`"
    part: str
    side: str
    why: str


# Recipes


@frozen(kw_only=True)
class UnknownTask(Diagnostic):
    """A recipe for a task that does not exist."""

    code = "XLM170"
    title = "there is no task `{task}`"
    label = "known tasks: {known}"
    help = "{hint}"
    task: str
    known: str
    hint: str


@frozen(kw_only=True)
class UnknownSetting(Diagnostic):
    """A setting that a run does not have."""

    code = "XLM171"
    title = "a run has no setting `{path}`"
    label = "known settings: {known}"
    help = "{hint}"
    path: str
    known: str
    hint: str


@frozen(kw_only=True)
class WrongSetting(Diagnostic):
    """A setting with a value that it cannot have."""

    code = "XLM172"
    title = "`{path}` cannot be {value}"
    label = "expected {expected}"
    help = "{hint}"
    path: str
    value: str
    expected: str
    hint: str


@frozen(kw_only=True)
class NotPublished(Diagnostic):
    """Published weights of a backbone that has none, or under a name that is none."""

    code = "XLM116"
    title = "this names no published weights"
    label = "{why}"
    help = "{hint}"
    why: str
    hint: str


@frozen(kw_only=True)
class WrongShift(Diagnostic):
    """A head that is read one position to the left, where that has no meaning."""

    code = "XLM115"
    title = "`{head}` cannot be shifted"
    label = "{why}"
    help = "{hint}"
    head: str
    why: str
    hint: str


# Warnings


@frozen(kw_only=True)
class NeverDecoded(Diagnostic):
    """A head that is trained and that no decoder reads."""

    code = "XLM190"
    severity = "warning"
    title = "`{head}` is trained and never decoded"
    label = "no decoder reads it"
    help = "use it in a decoder, or delete it"
    head: str


@frozen(kw_only=True)
class NeverUsed(Diagnostic):
    """A param or let that nothing reads."""

    code = "XLM191"
    severity = "warning"
    title = "`{name}` is never used"
    label = "defined here"
    help = "use it, or delete it"
    name: str


@frozen(kw_only=True)
class NoEffect(Diagnostic):
    """A part of a spec that changes nothing."""

    code = "XLM193"
    severity = "warning"
    title = "{what} has no effect"
    label = "{why}"
    help = "{hint}"
    what: str
    why: str
    hint: str


@frozen(kw_only=True)
class LeftOver(Diagnostic):
    """A survival above 0 at t = 1, where decoding starts with no clean token."""

    code = "XLM192"
    severity = "warning"
    title = "{share} of the tokens survive until t = 1"
    label = "{schedule}(1) = {share}"
    note = "decoding starts with none, and the likelihood is computed over all amounts of noise"
    schedule: str
    share: str


@frozen(kw_only=True)
class Timeless(Diagnostic):
    """Answers that depend on the time, and a network that does not read it."""

    code = "XLM197"
    severity = "warning"
    title = "the network does not read the time"
    label = "{why}"
    note = (
        "the best predictions change with the time; "
        "a network that does not read it samples from another distribution"
    )
    help = "write `backbone dit(condition = t)`"
    why: str


@frozen(kw_only=True)
class SharedState(Diagnostic):
    """A shifted head and a layout that begins inside its brackets."""

    code = "XLM196"
    severity = "warning"
    title = "the first two tokens of `{layout}` get the same prediction"
    label = "no token comes before it"
    note = (
        "a shifted head reads the state to the left; the first token of a row has none and reads "
        "its own, which is also what the second one reads"
    )
    help = "put `bos` before the brackets"
    layout: str


@frozen(kw_only=True)
class WrongClocks(Diagnostic):
    """A part of a second network that sets no clocks, or of the first one that only sets some."""

    code = "XLM111"
    title = "`{what}` has no meaning here"
    label = "{why}"
    help = "{hint}"
    what: str
    why: str
    hint: str
