"""Names in the modules of a package: those that an author gave stay unchanged where they can.

Where a module needs the plain name for something else, the author's name gets a `_`. Decided on the
syntax trees, by scopes; texts and comments always show the plain name.
"""

import ast
import io
import keyword
import re
import tokenize
from collections.abc import Iterator, Mapping
from functools import cached_property

from xlmc.emit.module_attributes import MODULE
from xlmc.emit.shake import parsed
from xlmc.syntax.marks import is_marked, plain

Function = ast.FunctionDef | ast.AsyncFunctionDef
_OWN = re.compile(r"(?<=\bself\.)\w+")  # in an f-string, which is one token before Python 3.12


class Names:
    """The final names for the marked ones of a package, decided for the modules in it so far."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.modules = {
            file: Module(text, texts) for file, text in sorted(texts.items()) if is_marked(text)
        }
        self.attributes: dict[str, str] = {}
        for module in self.modules.values():
            self.attributes |= module.attributes

    def keywords(self, file: str, function: str) -> tuple[tuple[str, str], ...]:
        """Return the params of a function or the fields of a class that have other names."""
        module = self.modules.get(file)
        found = [] if module is None else module.parameters(function)
        final = [(one, self._final(one, module)) for one in found]
        return tuple((plain(one), name) for one, name in final if plain(one) != name)

    def attribute(self, name: str) -> str:
        """Return the name of an attribute."""
        return self.attributes.get(name, plain(name))

    def _final(self, name: str, module: "Module | None") -> str:
        if module is None or name in self.attributes:
            return self.attribute(name)
        return module.variables.get(name, plain(name))

    def settled(self, file: str, text: str) -> str:
        """Return a module's text with each marked name replaced by its final name."""
        module = self.modules.get(file)
        if module is None:
            return text
        lines = text.splitlines(keepends=True)
        starts = [0]
        for line in lines:
            starts.append(starts[-1] + len(line))
        made, end, before = [], 0, ""
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            first = starts[token.start[0] - 1] + token.start[1]
            last = starts[token.end[0] - 1] + token.end[1]
            written = text[first:last]
            if is_marked(written):
                made += [text[end:first], self._token(token, written, before, module)]
                end = last
            before = written or before
        return "".join([*made, text[end:]])

    def _token(self, token: tokenize.TokenInfo, text: str, before: str, module: "Module") -> str:
        if token.type != tokenize.NAME:
            if stream := module.streams.get((token.start[0], text)):
                return f'"{stream}"'
            return plain(_OWN.sub(lambda match: self.attribute(match[0]), text))
        if before == "." or text in module.attributes:
            return self.attribute(text)
        final = module.variables[text]
        source = module.imported.get((token.start[0], text), "")
        origin = self.modules.get(source)
        given = plain(text) if origin is None else origin.variables.get(text, plain(text))
        return f"{given} as {final}" if source and given != final else final


class Module:
    """The names of one module by the scopes in which they occur, and what marked ones become."""

    def __init__(self, text: str, package: Mapping[str, str]) -> None:
        self.tree = parsed(text)
        self.package = package  # its modules, for what its classes inherit

    @cached_property
    def regions(self) -> dict[str, set[str]]:
        """Return for each name of a variable the parts of the module in which it occurs.

        These are the module (""), each function with all in it, and each class without its methods.
        """
        found: dict[str, set[str]] = {}
        for name, region in _statements(self.tree.body, ""):
            if name not in self.attributes:
                found.setdefault(name, set()).add(region)
        return found

    @cached_property
    def variables(self) -> dict[str, str]:
        """Return the names that marked ones become where they are no attributes."""
        found: dict[str, str] = {}
        regions = {name: set(where) for name, where in self.regions.items()}
        for name in filter(is_marked, self.regions):
            where = regions.pop(name)
            final = plain(name)
            while keyword.iskeyword(final) or _meet(where, regions.get(final, set())):
                final += "_"
            regions.setdefault(final, set()).update(where)
            found[name] = final
        return found

    @cached_property
    def attributes(self) -> dict[str, str]:
        """Return the names that marked fields, methods and attributes of its classes become.

        Taken are those that any of its classes has or inherits, and what their bodies read.
        """
        taken = _inherited(self.tree, self.package)
        stored: dict[str, None] = {}
        for node in _classes(self.tree).values():
            read = {name for name, where in _statements(node.body, "") if not where}
            taken |= {name for name in (*read, *_stored(node)) if not is_marked(name)}
            stored |= dict.fromkeys(filter(is_marked, _stored(node)))
        found: dict[str, str] = {}
        for name in stored:
            found[name] = _free(plain(name), taken)
            taken.add(found[name])
        return found

    @cached_property
    def streams(self) -> dict[tuple[int, str], str]:
        """Return the streams of noise that are named after something, by line and text.

        Two uses of randomness never share a stream.
        """
        calls = [one for one in ast.walk(self.tree) if isinstance(one, ast.Call)]
        named = [_stream(one) for one in calls]
        taken = {name for name, _ in named if not is_marked(name)}
        found: dict[tuple[int, str], str] = {}
        for name, line in named:
            if is_marked(name):
                found[line, f'"{name}"'] = _free(plain(name), taken)
        return found

    @cached_property
    def imported(self) -> dict[tuple[int, str], str]:
        """Return the modules of the package that names are imported from, by line and name."""
        return {
            (line, alias.name): f"{node.module}.py"
            for node in self.tree.body
            if isinstance(node, ast.ImportFrom) and node.level
            for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
            for alias in node.names
        }

    def parameters(self, name: str) -> list[str]:
        """Return the marked parameters of a function, or fields that a class has or inherits."""
        for node in self.tree.body:
            if isinstance(node, Function) and node.name == name:
                arguments = [one for one in ast.walk(node.args) if isinstance(one, ast.arg)]
                return [one.arg for one in arguments if is_marked(one.arg)]
            if isinstance(node, ast.ClassDef) and node.name == name:
                bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
                above = [one for base in bases for one in self.parameters(base)]
                own = [one for one in _bound(node) if is_marked(one)]
                return [*dict.fromkeys([*above, *own])]
        return []


def _free(name: str, taken: set[str]) -> str:
    """Append `_` to a name until it is neither a word of Python nor taken."""
    while keyword.iskeyword(name) or name in taken:
        name += "_"
    return name


def _stream(call: ast.Call) -> tuple[str, int]:
    """Return the stream that a call draws from, and its line; "" for other calls."""
    match call:
        case ast.Call(func=ast.Attribute(attr="uniform"), args=[ast.Constant(str(name)), *_]):
            return name, call.args[0].lineno
    return "", 0


def _meet(where: set[str], others: set[str]) -> bool:
    """Return whether a name would hide another: in a function, or anywhere if the module's."""
    return bool(where & others) or ("" in where and bool(others))


def _statements(body: list[ast.stmt], region: str) -> Iterator[tuple[str, str]]:
    """Yield the names in some statements, with their regions."""
    for node in body:
        if isinstance(node, Function):
            yield node.name, region
            inner = f"{region}.{node.name}"
            for part in (*node.decorator_list, *_signature(node)):
                yield from ((name, region) for name in _names(part))
            for one in (*ast.walk(node.args), *node.body):
                if isinstance(one, ast.arg):
                    yield one.arg, inner
                elif isinstance(one, ast.stmt):
                    yield from ((name, inner) for name in _names(one))
        elif isinstance(node, ast.ClassDef):
            yield node.name, region
            for part in (*node.decorator_list, *node.bases):
                yield from ((name, region) for name in _names(part))
            yield from _statements(node.body, f"{region}.{node.name}")
        else:
            yield from ((name, region) for name in _names(node))


def _signature(node: Function) -> list[ast.expr]:
    """Return the parts evaluated at a function's definition: annotations and defaults."""
    arguments = [one for one in ast.walk(node.args) if isinstance(one, ast.arg)]
    found = [node.returns, *(one.annotation for one in arguments), *node.args.defaults]
    return [one for one in [*found, *node.args.kw_defaults] if one is not None]


def _names(node: ast.AST) -> Iterator[str]:
    """Yield every name of a variable in a piece of code, of all scopes in it."""
    for one in ast.walk(node):
        match one:
            case ast.Name(id=name) | ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.alias(name=name, asname=own):
                yield (own or name).partition(".")[0]
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                yield name
            case ast.keyword(arg=str(name)) if is_marked(name):
                yield name


def _bound(node: ast.ClassDef) -> list[str]:
    """Return the fields and methods of a class."""
    found = []
    for one in node.body:
        match one:
            case ast.FunctionDef(name=name) | ast.AnnAssign(target=ast.Name(id=name)):
                found.append(name)
            case ast.Assign(targets=[ast.Name(id=name)]):
                found.append(name)
    return found


def _stored(node: ast.ClassDef) -> list[str]:
    """Return the fields and methods of a class, and the attributes of ``self``."""
    own = [
        one.attr
        for one in ast.walk(node)
        if isinstance(one, ast.Attribute)
        and isinstance(one.value, ast.Name)
        and one.value.id == "self"
    ]
    return [*_bound(node), *own]


def _classes(tree: ast.Module) -> dict[str, ast.ClassDef]:
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def _inherited(tree: ast.Module, package: Mapping[str, str]) -> set[str]:
    """Return the attributes that classes of a module inherit, those of `nn.Module` included."""
    bases = [base for node in _classes(tree).values() for base in node.bases]
    found = set(MODULE) if any(isinstance(base, ast.Attribute) for base in bases) else set[str]()
    wanted = {base.id for base in bases if isinstance(base, ast.Name)}
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    for node in imports:
        text = package.get(f"{node.module}.py")
        if text is not None and wanted & {alias.name for alias in node.names}:
            other = parsed(text)
            found |= {name for one in _classes(other).values() for name in _stored(one)}
            found |= _inherited(other, package)
    return found
