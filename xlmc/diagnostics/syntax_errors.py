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
    """The bytes are not UTF-8."""

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
    help = "delete it; apart from new lines and tabs a spec holds visible characters alone"

    character: str


@frozen(kw_only=True)
class Empty(Diagnostic):
    """Nothing but blanks and comments."""

    code = "XLM003"
    title = "this spec is empty"
    label = "a family should stand here"
    help = 'start with `family NAME "Title" {{` and end with `}}`'


@frozen(kw_only=True)
class TooLarge(Diagnostic):
    """Far more text than any family needs."""

    code = "XLM004"
    title = "this file is too large for a spec"
    label = "{size:,} bytes; at most {limit:,} are read"
    help = "a spec has some 60 lines; was another file given?"

    size: int
    limit: int


@frozen(kw_only=True)
class TooDeep(Diagnostic):
    """An expression or its parentheses go too deep."""

    code = "XLM005"
    title = "this is nested too deeply"
    label = "more than {limit} levels"
    help = "name parts of it with `let`"

    limit: int


@frozen(kw_only=True)
class NumberTooExtreme(Diagnostic):
    """A literal that networks cannot use: they compute in float32, from 1e-38 to 3e38."""

    code = "XLM006"
    title = "the number {number} is out of reach"
    label = "numbers are 0 or lie between 1e-30 and 1e30: networks compute in float32"

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
    title = "this `{{` stands on a line of its own"
    label = "the line before was over without it"
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
    """A piece is not there; the span is the empty place after the piece before it."""

    code = "XLM010"
    title = "{what} is missing"
    label = "here"
    help = "{form}"

    what: str
    form: str


@frozen(kw_only=True)
class Unexpected(Diagnostic):
    """A piece that fits nowhere near."""

    code = "XLM011"
    title = "{found} cannot stand here"
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
    help = "a quoted text stands on one line, between two double quotes"


@frozen(kw_only=True)
class Misspelt(Diagnostic):
    """Nearly a keyword, where a keyword is needed."""

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
    """A word of the language is used as the name of something."""

    code = "XLM016"
    title = "`{name}` is a word of the language"
    label = "a name of your own is needed here"
    help = "choose another name, such as `my_{name}`"

    name: str


@frozen(kw_only=True)
class AfterEnd(Diagnostic):
    """Text behind the closing brace of the family."""

    code = "XLM017"
    title = "{found} stands after the end of the family"
    label = "nothing can follow"
    help = "{hint}"

    found: str
    hint: str


@frozen(kw_only=True)
class Misplaced(Diagnostic):
    """An entry of one block in another one."""

    code = "XLM018"
    title = "`{word}` does not stand in `{block}`"
    label = "it stands in {home}"
    help = "{form}"

    word: str
    block: str
    home: str
    form: str


@frozen(kw_only=True)
class UnknownEntry(Diagnostic):
    """A line that starts with no word that its block knows."""

    code = "XLM019"
    title = "`{word}` starts nothing that `{block}` can hold"
    label = "unknown"
    help = "`{block}` holds {known}"

    word: str
    block: str
    known: str


# Extends


@frozen(kw_only=True)
class UnknownParent(Diagnostic):
    """No spec has the name of the parent."""

    code = "XLM020"
    title = "there is no family `{name}` to extend"
    label = "neither `{name}.xlm` beside this spec nor a shipped family"
    help = "{hint}"

    name: str
    hint: str


@frozen(kw_only=True)
class ExtendsItself(Diagnostic):
    """A family names itself as its parent."""

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
    label = "`{name}` comes back here"
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
    """The parent's file holds a family of another name."""

    code = "XLM024"
    title = "`{file}` describes `{found}`, not `{name}`"
    label = "extended as `{name}`"
    help = "rename the file or the family in it: they have the same name"

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
    label = "`{place}` has none"
    help = "{hint}"

    key: str
    place: str
    hint: str


@frozen(kw_only=True)
class NothingToReplace(Diagnostic):
    """`replace` of a section that the parent does not have."""

    code = "XLM027"
    title = "there is no `{section}` to replace"
    label = "`{parent}` has none"
    help = "without `replace` the section is added"

    section: str
    parent: str


@frozen(kw_only=True)
class SharedByNone(Diagnostic):
    """A recipe without tasks in a family that has no recipe for a task."""

    code = "XLM028"
    title = "no recipe shares these settings"
    label = "a recipe without tasks holds what all others have in common"
    help = "name the tasks that it is for: `recipe star_easy, lm1b {{ ... }}`"


@frozen(kw_only=True)
class DroppedAndNew(Diagnostic):
    """An entry of the parent is dropped and another one of its name written."""

    code = "XLM029"
    title = "`{name}` is dropped and written anew"
    label = "again here"
    help = "an entry takes the place of the parent's of its name: delete the `drop`"

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
    """A param or a let has a name that is taken."""

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
    """Two arrows lead to the same state."""

    code = "XLM034"
    title = "a second arrow to `{name}`"
    help = "a token goes into a state in one way: keep one of the arrows"


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
    """Two recipes set the same for a task; what they set is put together."""

    code = "XLM037"
    title = "two recipes set `{name}` for `{place}`"


@frozen(kw_only=True)
class DuplicateSetting(DuplicateEntry):
    """A setting that occurs twice in a recipe."""

    code = "XLM038"
    title = "`{name}` is set twice in `{place}`"


@frozen(kw_only=True)
class DuplicateArgument(DuplicateEntry):
    """An argument, an option or a choice is given twice."""

    code = "XLM039"
    title = "`{name}` is given twice"
