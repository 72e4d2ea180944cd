"""Runs on the Hub that try to have code run, or to be more than a run, where they are pulled."""

import importlib.util
import io
import json
import py_compile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from shelf import Shelf

import xlm_runtime
from xlm_runtime.packages.contents import Contents
from xlm_runtime.run import share
from xlm_runtime.run.main import run
from xlm_runtime.system.errors import RunError
from xlm_runtime.system.reader import SEAL, sealed
from xlmc.commands.trust import judged, trust
from xlmc.compiler import compile_held

HERE = Path(__file__).parent
REPO = "tester/mine"
SMALL = (
    "model.size=tiny", "model.layers=1", "model.width=16", "model.heads=2", "train.steps=2",
    "generate.samples=0", "eval.examples=2", "eval.draws=1",
)  # fmt: skip
Files = dict[str, bytes]
Change = Callable[[Files, str], None]  # of a repository, with code that leaves a canary


@cache
def pushed() -> Files:
    """What is on the Hub of an honest run."""
    with tempfile.TemporaryDirectory() as made, pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(HERE / "runtime")
        patch.chdir(made)
        shelf = Shelf(Path(made) / "hub")
        shelf.use(patch)
        package = HERE.parent / "examples/mdlm"
        steps: list[dict[str, Any]] = [
            {"job": "train", "sets": SMALL}, {"job": "eval"}, {"job": "push", "repo": REPO},
        ]  # fmt: skip
        with redirect_stdout(io.StringIO()):
            assert [run(package, "toy_task:REVERSE", **step) for step in steps] == [0, 0, 0]
        return shelf.repos[REPO]


def tried(change: Change, canary: Path, folder: Path) -> str:
    """Pulls a changed run, and uses it in every way that a user might without a further word."""
    files = dict(pushed())
    change(files, f"__import__('pathlib').Path({str(canary)!r}).touch()\n")
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()):
        patch.syspath_prepend(HERE / "runtime")
        shelf = Shelf(folder / "hub")
        shelf.use(patch)
        shelf.repos[REPO] = files
        before = set(folder.rglob("*"))
        came = folder / "came"
        if share.pull(REPO, came, judged) != 0:
            left = {
                p for p in folder.rglob("*") if p.relative_to(folder).parts[0] != "hub"
            } - before
            assert not left, f"a refused pull left {left}"
            return "refused"
        return used(came)


def used(came: Path) -> str:
    """A pulled run from Python and from the command line, without consent."""
    package, options = came / "package", {"run_dir": came, "trust": trust(False, lambda _: None)}
    codes = [
        run(package, "toy_task:REVERSE", job=job, **options, **more)  # type: ignore[arg-type]
        for job, more in (("eval", {"sets": SMALL[-2:]}), ("push", {"repo": "tester/again"}))
    ]
    try:
        xlm_runtime.load(came).generate(["a b"])
    except RunError as error:
        if "came from" not in str(error):
            return "refused"
        assert all(codes)
        return "not run"
    return "a text" if codes == [0, 0] else "refused"


def consistent(files: Files) -> None:
    """Makes a repository agree with itself, as whoever alters one would."""
    package = {n[8:]: c for n, c in sorted(files.items()) if n.startswith("package/")}
    held = Contents(Path(), package)
    if "MANIFEST.json" in package:
        own = {name: one for name, one in held.hashes.items() if name != "MANIFEST.json"}
        edit(files, "package/MANIFEST.json", outputs=own)
        package["MANIFEST.json"] = files["package/MANIFEST.json"]
        held = Contents(Path(), package)
    edit(files, "run.json", package=held.digest, files=held.hashes)


def edit(repo: Files, name: str, /, **changes: object) -> None:
    """Changes entries of a JSON file, and its hash of itself where it has one."""
    before = json.loads(repo[name])
    after = before | changes
    repo[name] = json.dumps(sealed(after) if SEAL in before else after).encode()


def every() -> Iterator[tuple[str, str, Change]]:
    """Group, name and change of each."""
    yield "an honest run", "unchanged", lambda files, code: None
    for name in STRAYS:
        yield "files that no run holds", ascii(name), _stray(name)
    for name in BYTECODE:
        yield "bytecode", name, _bytecode(name)
    yield from ((ALTERED, one.__name__.strip("_"), one) for one in _ALTERED)
    for name, contents in JSON:
        for number, content in enumerate(contents):
            yield "JSON that is none of a run", f"{name} {number}", _replaced(name, content)
    for name, text in TEXTS:
        yield "cards, tokenizers, weights", f"{name} {text[:20]!a}", _replaced(name, text)


STRAYS = (
    "package/extra.py", "package/extra.so", "package/loss.cpython-311-x86_64-linux-gnu.so",
    "package/loss/__init__.py", "package/sub/x.py", "package/.hidden.py", "package/a b.py",
    "package/loss.pyi", "package/setup.cfg", "package/data.bin", "package/loss.PY",
    "package/../../evil.py", "../evil.py", "/etc/evil.py", "package//loss.py", "package/./loss.py",
    "package\\evil.py", "package/a\0.py", "package/\x1b[2J.py", "package/a\n.py", "package/..",
    "tokenizer/tokenization_evil.py", "tokenizer/vocab.pkl", "tokenizer/../run.py",
    "checkpoints/step-00000002/state.ckpt", "checkpoints/step-00000002/raw.safetensors",
    "checkpoints/step-00000002/model.bin", "checkpoints/evil.py",
    "checkpoints/step-1/ema.safetensors",
    "sitecustomize.py", "conftest.py", "toy_task.py", "pulled.json", "done.json", ".lock",
    "evaluations.jsonl", "predictions.jsonl", "logs/metrics.csv", "published.json/x",
)  # fmt: skip
BYTECODE = (
    "package/__pycache__/loss.{tag}.pyc", "package/__pycache__/__init__.{tag}.pyc",
    "package/loss.pyc", "package/__init__.pyc", "package/__pycache__/loss.{tag}.opt-1.pyc",
    "__pycache__/toy_task.{tag}.pyc", "tokenizer/__pycache__/x.{tag}.pyc",
)  # fmt: skip
_DEEP = b"[" * 100_000
_NONE = (b"", b"[]", b"null", b"3", b'"x"', b"{", _DEEP, b"\xff\xfe", b'{"a": NaN}', b"{}")
JSON = (
    ("run.json", (*_NONE, b'{"family": "..", "task": "x", "preset": "quick", "data": null}')),
    ("config.json", (*_NONE, b'{"model": {"layers": 1e99}}', b'{"train": []}')),
    ("data.json", (*_NONE, b'{"layout": "seq2seq", "body": 4, "prompt": 4, "lengths": [[1, -1]]}',
                   b'{"layout": "__class__", "body": 4, "prompt": 4, "lengths": []}',
                   b'{"layout": "seq2seq", "body": "4", "prompt": 4, "lengths": []}')),
    ("metrics.json", (*_NONE, b'{"checkpoint": "x", "examples": "{0.__class__}"}')),
    ("checkpoints/index.json", (*_NONE, b'{"last": "../../x"}', b'{"last": 99}', b'{"more": 1}')),
    ("package/MANIFEST.json", (*_NONE, b'{"outputs": {"../../x": "1"}}', b'{"outputs": [1]}')),
    ("tokenizer/tokenizer.json", _NONE), ("tokenizer/tokenizer_config.json", _NONE),
    ("published.json", _NONE),
)  # fmt: skip
TEXTS = (
    ("README.md", b"```sh\nrm -rf ~\n```\n<script>alert(1)</script>\x1b[2J"),
    ("README.md", b"---\nlibrary_name: !!python/object/apply:os.system ['true']\n---\n"),
    ("tokenizer/tokenizer_config.json", b'{"auto_map": {"AutoTokenizer": ["evil--x.Evil", null]}}'),
    ("checkpoints/step-00000002/ema.safetensors", b"\x80\x04c__builtin__\nexec\n."),
    ("checkpoints/step-00000002/ema.safetensors", b"\xff" * 64),
    ("checkpoints/step-00000002/ema.safetensors", b""),
)  # fmt: skip
ALTERED = "code that its spec does not make"


def _stray(name: str) -> Change:
    def change(files: Files, code: str) -> None:
        files[name] = code.encode()

    return change


def _bytecode(name: str) -> Change:
    def change(files: Files, code: str) -> None:
        with tempfile.TemporaryDirectory() as made:
            source = Path(made) / "loss.py"
            source.write_text(code)
            mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
            found = py_compile.compile(str(source), str(source) + "c", invalidation_mode=mode)
            tag = Path(importlib.util.cache_from_source("x.py")).name.split(".")[1]
            files[name.format(tag=tag)] = Path(str(found)).read_bytes()

    return change


def _replaced(name: str, content: bytes) -> Change:
    def change(files: Files, code: str) -> None:
        files[name] = content.replace(b"exec", code.encode())
        if name.startswith("package/"):
            digest = Contents(
                Path(), {n[8:]: c for n, c in sorted(files.items()) if n.startswith("package/")}
            ).digest
            edit(files, "run.json", package=digest)

    return change


def _code_alone(files: Files, code: str) -> None:
    files["package/loss.py"] += code.encode()


def _code_and_hashes(files: Files, code: str) -> None:
    files["package/loss.py"] += code.encode()
    consistent(files)


def _init(files: Files, code: str) -> None:
    files["package/__init__.py"] = code.encode() + files["package/__init__.py"]
    consistent(files)


def _a_listed_extra_file(files: Files, code: str) -> None:
    files["package/extra.py"] = code.encode()
    consistent(files)


def _no_manifest(files: Files, code: str) -> None:
    files["package/loss.py"] += code.encode()
    del files["package/MANIFEST.json"]
    consistent(files)


def _no_spec(files: Files, code: str) -> None:
    files["package/loss.py"] += code.encode()
    del files["package/mdlm.xlm"]
    consistent(files)


def _a_broken_spec(files: Files, code: str) -> None:
    files["package/mdlm.xlm"] = f'family mdlm "{code}'.encode()
    consistent(files)


def _forged_consent(files: Files, code: str) -> None:
    _code_and_hashes(files, code)
    digest = json.loads(files["run.json"])["package"]
    origin = {"repo": REPO, "commit": "", "package": digest, "allowed": {digest: "made"}}
    files["pulled.json"] = json.dumps(origin).encode()
    edit(files, "run.json", allowed={digest: "made"}, trust=True)


def _an_encoding(files: Files, code: str) -> None:
    files["package/loss.py"] = b"# coding: utf-7\n+AAo-" + code.encode() + files["package/loss.py"]
    consistent(files)


def _a_spec_that_names_python(files: Files, code: str) -> None:
    spec = (
        files["package/mdlm.xlm"].decode().replace("backbone  dit ", 'backbone  python "evil:Net" ')
    )
    made = compile_held({"mdlm.xlm": spec.encode()}, "mdlm", "mdlm.xlm").package.files
    for name in [name for name in files if name.startswith("package/")]:
        del files[name]
    files |= {f"package/{name}": content for name, content in made.items()}
    Path("evil.py").write_text(code)  # what lies where the user works
    consistent(files)


_ALTERED = (
    _code_alone, _code_and_hashes, _init, _a_listed_extra_file, _no_manifest, _no_spec,
    _a_broken_spec, _forged_consent, _an_encoding, _a_spec_that_names_python,
)  # fmt: skip
