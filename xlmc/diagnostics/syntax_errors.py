"""Every message about a spec, one class each, with its stable code. Codes are never used twice.

001-019 text and syntax · 020-029 extends · 030-049 names · 050-069 types, units, ranges ·
070-099 theory · 100-119 network · 120-149 decoder · 150-169 collation · 170-189 recipe ·
190+ warnings
"""

from attrs import frozen

from xlmc.diagnostics.diagnostic import Diagnostic

# Text


@frozen(kw_only=True)
class NotText(Diagnostic):
    """A file that is not UTF-8."""

    code = "XLM001"
    title = "this file is not text"
    label = "the byte {byte} at offset {offset} is not UTF-8"
    help = "a spec is a text file in UTF-8; was a binary file or another encoding given?"

    byte: str
    offset: int


@frozen(kw_only=True)
class ControlCharacter(Diagnostic):
    """A character that no editor shows, or that reorders what it shows."""

    code = "XLM002"
    title = "the invisible character {character} in a spec"
    label = "here"
    help = "delete it: beside new lines and tabs, a spec has visible characters only"

    character: str


@frozen(kw_only=True)
class Empty(Diagnostic):
    """A file with nothing but blanks and comments."""

    code = "XLM003"
    title = "this spec is empty"
    label = "expected a family"
    help = 'start with `family NAME "Title" {{` and end with `}}`'


@frozen(kw_only=True)
class TooLarge(Diagnostic):
    """A file far larger than any family needs."""

    code = "XLM004"
    title = "this file is too large for a spec"
    label = "{size:,} bytes; at most {limit:,} are read"
    help = "a spec has some 60 lines; was another file given?"

    size: int
    limit: int


@frozen(kw_only=True)
class TooDeep(Diagnostic):
    """An expression that is nested too deeply."""

    code = "XLM005"
    title = "this is nested too deeply"
    label = "more than {limit} levels"
    help = "name parts of it with `let`"

    limit: int


@frozen(kw_only=True)
class NumberTooExtreme(Diagnostic):
    """A literal that networks cannot use: they compute in float32, from 1e-38 to 3e38."""

    code = "XLM006"
    title = "the number {number} is out of range"
    label = "numbers are 0 or between 1e-30 and 1e30: networks compute in float32"

    number: str


@frozen(kw_only=True)
class NumberTooLong(Diagnostic):
    """A literal with more digits than can mean anything."""

    code = "XLM007"
    title = "this number is too long"
    label = "more than {limit} characters"
    help = "write it with an exponent, as in 1e-4"

    limit: int


# Syntax


@frozen(kw_only=True)
class BraceOnNextLine(Diagnostic):
    """A block whose brace is on a line of its own."""

    code = "XLM008"
    title = "this `{{` is on a line of its own"
    label = "the line before it ends without a brace"
    help = "{form}"

    form: str


@frozen(kw_only=True)
class DoubleEqual(Diagnostic):
    """Two equal signs, as in Python."""

    code = "XLM009"
    title = "the language has no `==`"
    label = "write `=`"
    help = "one `=` defines in `param` and `let`, and compares in `stop when`"


@frozen(kw_only=True)
class Missing(Diagnostic):
    """A missing piece; the span is the empty place after the piece before it."""

    code = "XLM010"
    title = "{what} is missing"
    label = "here"
    help = "{form}"

    what: str
    form: str


@frozen(kw_only=True)
class Unexpected(Diagnostic):
    """A piece that does not fit at its place."""

    code = "XLM011"
    title = "unexpected {found}"
    label = "expected {expected}"
    help = "{form}"

    found: str
    expected: str
    form: str


@frozen(kw_only=True)
class Stray(Diagnostic):
    """A character that the language does not use."""

    code = "XLM012"
    title = "the language has no `{text}`"
    label = "{hint}"

    text: str
    hint: str


@frozen(kw_only=True)
class OpenString(Diagnostic):
    """A quoted text without its closing quote."""

    code = "XLM013"
    title = "this quoted text is never closed"
    label = 'a `"` is missing on this line'
    help = "a quoted text is on one line, between two double quotes"


@frozen(kw_only=True)
class Misspelt(Diagnostic):
    """A misspelt keyword."""

    code = "XLM014"
    title = "`{found}` is not known here"
    label = "did you mean `{meant}`?"
    help = "{form}"

    found: str
    meant: str
    form: str


@frozen(kw_only=True)
class Unclosed(Diagnostic):
    """A block, a parenthesis or a bracket that is opened and not closed."""

    code = "XLM015"
    title = "a `{closing}` is missing"
    label = "here, or earlier"

    closing: str


@frozen(kw_only=True)
class ReservedName(Diagnostic):
    """A word of the language used as the name of a head, a param or another entry."""

    code = "XLM016"
    title = "`{name}` is a word of the language"
    label = "a name of your own is needed here"
    help = "choose another name, such as `my_{name}`"

    name: str


@frozen(kw_only=True)
class AfterEnd(Diagnostic):
    """Text behind the closing brace of the family."""

    code = "XLM017"
    title = "{found} comes after the end of the family"
    label = "nothing may follow"
    help = "{hint}"

    found: str
    hint: str


@frozen(kw_only=True)
class Misplaced(Diagnostic):
    """An entry of one block in another one."""

    code = "XLM018"
    title = "`{word}` does not belong in `{block}`"
    label = "it belongs in {home}"
    help = "{form}"

    word: str
    block: str
    home: str
    form: str


@frozen(kw_only=True)
class UnknownEntry(Diagnostic):
    """A line whose first word is no entry of its block."""

    code = "XLM019"
    title = "`{block}` has no entry `{word}`"
    label = "unknown"
    help = "the entries of `{block}` are {known}"

    word: str
    block: str
    known: str


# Extends


@frozen(kw_only=True)
class UnknownParent(Diagnostic):
    """A parent without a spec."""

    code = "XLM020"
    title = "there is no family `{name}` to extend"
    label = "neither `{name}.xlm` beside this spec nor a shipped family"
    help = "{hint}"

    name: str
    hint: str


@frozen(kw_only=True)
class ExtendsItself(Diagnostic):
    """A family that extends itself."""

    code = "XLM021"
    title = "`{name}` extends itself"
    label = "its own name"
    help = "give the new family a name of its own"

    name: str


@frozen(kw_only=True)
class ExtendsInCircle(Diagnostic):
    """A chain of parents that returns to its start."""

    code = "XLM022"
    title = "families extend each other in a circle: {circle}"
    label = "this returns to `{name}`"
    help = "one of them must extend nothing, or something else"

    name: str
    circle: str


@frozen(kw_only=True)
class ChainTooLong(Diagnostic):
    """More generations than a reader can follow."""

    code = "XLM023"
    title = "more than {limit} families extend one another"
    label = "one too many"
    help = "write what `xlmc expand` prints for one of them into a spec that extends nothing"

    limit: int


@frozen(kw_only=True)
class OtherFamily(Diagnostic):
    """A parent whose file describes a family of another name."""

    code = "XLM024"
    title = "`{file}` describes `{found}`, not `{name}`"
    label = "extended as `{name}`"
    help = "rename the file or the family in it: both must have the same name"

    file: str
    found: str
    name: str


@frozen(kw_only=True)
class NeedsParent(Diagnostic):
    """`drop` or `replace` in a family that extends nothing."""

    code = "XLM025"
    title = "`{word}` without a parent"
    label = "there is nothing to {word}"
    help = "{hint}"

    word: str
    hint: str


@frozen(kw_only=True)
class NothingToDrop(Diagnostic):
    """`drop` of an entry that the parent does not have."""

    code = "XLM026"
    title = "there is no `{key}` to drop"
    label = "`{place}` has no such entry"
    help = "{hint}"

    key: str
    place: str
    hint: str


@frozen(kw_only=True)
class NothingToReplace(Diagnostic):
    """`replace` of a section that the parent does not have."""

    code = "XLM027"
    title = "there is no `{section}` to replace"
    label = "`{parent}` has no such section"
    help = "without `replace` the section is added"

    section: str
    parent: str


@frozen(kw_only=True)
class SharedByNone(Diagnostic):
    """A recipe without tasks in a family that has no recipe for a task."""

    code = "XLM028"
    title = "no recipe shares these settings"
    label = "a recipe without tasks has settings that all others share"
    help = "name the tasks that it is for: `recipe star_easy, lm1b {{ ... }}`"


@frozen(kw_only=True)
class DroppedAndNew(Diagnostic):
    """An entry of the parent that is both dropped and replaced."""

    code = "XLM029"
    title = "`{name}` is dropped and written anew"
    label = "again here"
    help = "an entry replaces the parent's entry of the same name: delete the `drop`"

    name: str


# Duplicates


@frozen(kw_only=True)
class DuplicateSection(Diagnostic):
    """A section, or a decoder of a name, that occurs twice."""

    code = "XLM030"
    title = "a second `{name}` section"
    label = "again here"
    help = "write the entries of both into one"

    name: str


@frozen(kw_only=True)
class DuplicateEntry(Diagnostic):
    """An entry that occurs twice where a section may have one."""

    code = "XLM031"
    title = "a second `{name}` in `{place}`"
    label = "again here"
    help = "keep one of them"

    name: str
    place: str


@frozen(kw_only=True)
class DuplicateName(DuplicateEntry):
    """A param or a let whose name is taken."""

    code = "XLM032"
    title = "the name `{name}` is taken in `{place}`"
    help = "choose another name for one of them"


@frozen(kw_only=True)
class DuplicateHead(DuplicateEntry):
    """Two heads of a name."""

    code = "XLM033"
    title = "a second head `{name}`"
    help = "choose another name for one of them"


@frozen(kw_only=True)
class DuplicateArrow(DuplicateEntry):
    """Two arrows to the same state."""

    code = "XLM034"
    title = "a second arrow to `{name}`"
    help = "a state has one arrow that leads to it: keep one of them"


@frozen(kw_only=True)
class DuplicateTerm(DuplicateEntry):
    """Two terms of the loss for one head."""

    code = "XLM035"
    title = "a second term for the head `{name}`"
    help = "a head has one term: keep one of them"


@frozen(kw_only=True)
class DuplicateLayout(DuplicateEntry):
    """Two layouts of a name, or a part that is padded twice."""

    code = "XLM036"
    title = "`{name}` is laid out twice"
    help = "keep one of them"


@frozen(kw_only=True)
class DuplicateRecipe(DuplicateEntry):
    """Two recipes with the same setting for a task; recipes of a task are merged."""

    code = "XLM037"
    title = "two recipes set `{name}` for `{place}`"


@frozen(kw_only=True)
class DuplicateSetting(DuplicateEntry):
    """A setting that occurs twice in a recipe."""

    code = "XLM038"
    title = "`{name}` is set twice in `{place}`"


@frozen(kw_only=True)
class DuplicateArgument(DuplicateEntry):
    """An argument, an option or a choice that is given twice."""

    code = "XLM039"
    title = "`{name}` is given twice"
