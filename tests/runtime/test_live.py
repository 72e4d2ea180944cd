"""Decoding shown as it happens, and conversations."""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve
from fresh import untrained
from rich.console import Console

import xlm_runtime
from xlm_runtime.model import generate
from xlm_runtime.plug import Noise
from xlm_runtime.run.reports.changes import Piece, changes
from xlm_runtime.system.errors import UsageError
from xlm_runtime.tokenizers import Tokenizer, words
from xlm_runtime.use import chatting, live, main, requests
from xlm_runtime.use.loaded import Loaded
from xlm_runtime.use.options import Options
from xlm_runtime.use.requests import Prompter

MASK = 9
TEMPLATE = (
    "{% for one in messages %}{{ bos_token if one.role == 'user' else mask_token }} "
    "{{ one.content }} {% endfor %}{{ eos_token }}"
)


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        ([1, 2], [1, 2], "kept kept"),
        ([1, MASK, MASK], [1, 4, MASK], "kept unmasked masked"),
        ([1, 4], [1, MASK], "kept remasked"),
        ([1, 4], [1, 5], "kept replaced"),
        ([1, 2], [1, 3, 2], "kept inserted kept"),
        ([1, 2], [1, MASK, MASK, 2], "kept inserted inserted kept"),
        ([1, 3, 2], [1, 2], "kept deleted kept"),
        ([1, MASK, 2], [1, 5, 6, 2], "kept unmasked inserted kept"),
        ([], [1], "inserted"),
    ],
)
def test_what_became_of_each_token(before: list[int], after: list[int], kinds: str) -> None:
    found = changes(before, after, MASK)
    assert [one.kind for one in found] == kinds.split()
    assert [one.id for one in found if one.kind != "deleted"] == after


def test_a_state_is_a_coloured_line() -> None:
    tokenizer = words("abcdefgh", ("pad", "mask", "bos", "eos"))
    ids = tokenizer.vocabulary.specials
    frames = live.Frames(tokenizer)
    line = frames.next([ids["bos"], ids["mask"], 3, ids["pad"]])
    assert line.plain == "<bos> ░ d"
    line = frames.next([ids["bos"], 1, ids["mask"], ids["pad"]])
    assert line.plain == "<bos> b ░"
    styles = {line.plain[span.start : span.end].strip(): str(span.style) for span in line.spans}
    assert styles["b"] == live.STYLES["unmasked"]
    assert styles["░"] == live.STYLES["remasked"]
    frames.begin()
    assert {str(one.style) for one in frames.next([1, 2]).spans} <= {""}
    assert "\x1b" not in frames.line([Piece(1, "kept")]).plain


@pytest.mark.many
@pytest.mark.parametrize("name", ["mdlm", "ilm", "flexmdm", "dilm", "remdm"])
def test_a_function_gets_the_states_as_they_are_made(name: str) -> None:
    loaded = untrained(name)
    example = loaded.prompter.request(0, "", None, 1).example
    batch = loaded.model.layout([example])
    seen: list[list[int]] = []
    made = loaded.model.decode(batch, Noise(1, batch.example), True)
    watched = loaded.model.decode(
        batch, Noise(1, batch.example), lambda state: seen.append(state[0].tolist())
    )
    assert watched.x.equal(made.x)
    assert watched.history == ()
    assert len(seen) > 1
    assert seen == [state[0].tolist() for state in made.history]


def test_packages_of_earlier_versions_show_their_states_at_the_end(trained: Path) -> None:
    loaded = xlm_runtime.load(trained)
    seen: list[list[int]] = []
    wanted = [loaded.prompter.request(0, "a b c d", None, 1)]
    record = lambda state: seen.append(state[0].tolist())  # noqa: E731
    (sample,) = requests.samples(loaded.model, wanted, 1, 1, record)
    assert [generate.spelled(one, loaded.tokenizer) for one in seen] == loaded.history("a b c d")[0]
    assert sample.history == ()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Console:
    """A terminal whose output is kept."""
    made = Console(file=io.StringIO(), force_terminal=True, width=80, color_system="standard")
    for module in (
        "xlm_runtime.use.live",
        "xlm_runtime.use.chatting",
        "xlm_runtime.system.progress",
    ):
        monkeypatch.setattr(f"{module}.console", made)
    return made


def test_live_shows_every_state(
    trained: Path, terminal: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = live.watching.__wrapped__  # type: ignore[attr-defined]
    monkeypatch.setattr(live, "watching", lambda *a: live.contextmanager(screen)(*a, terminal))
    monkeypatch.setattr(live.check_terminal, "__defaults__", (terminal,))
    prompts = ("a b c d", "b b b b")
    options = Options(what=str(trained), prompts=prompts, live=True, pause=0.0)
    assert main.generate(options) == 0
    shown = terminal.file.getvalue()  # type: ignore[attr-defined]
    history = xlm_runtime.load(trained).history(list(prompts))
    assert "a b c d ░ ░ ░ ░ ░" in shown.replace("\x1b[90m", "").replace("\x1b[0m", "")
    assert "\x1b[1;32m" in shown  # what was unmasked
    assert shown.count("\x1b[2K") >= sum(map(len, history)) - 1


def test_live_needs_a_terminal(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for pause, why in ((0.1, "--live shows texts on a terminal"), (-1.0, "--pause -1.0: from 0")):
        options = Options(what=str(trained), prompts=("a",), live=True, pause=pause)
        assert main.generate(options) == 2
        assert why in capsys.readouterr().err
    assert main.generate(Options(what=str(trained), prompts=("a",), pause=float("nan"))) == 2


# Conversations


def chatty(room: int) -> Loaded:
    loaded = untrained("mdlm", prompt=room)
    tokenizer = Tokenizer(
        loaded.tokenizer.backend, loaded.tokenizer.vocabulary.specials, template=TEMPLATE
    )
    layout = loaded.model.family.layouts["seq2seq"](loaded.model.vocabulary, 8)
    config = evolve(loaded.config, data=evolve(loaded.config.data, chat=True))
    model = evolve(loaded.model, layout=layout)
    return evolve(loaded, tokenizer=tokenizer, config=config, model=model)


def test_a_conversation_is_the_template_around_all_its_messages() -> None:
    tokenizer = chatty(99).tokenizer
    bos, mask, eos = (tokenizer.vocabulary[name] for name in ("bos", "mask", "eos"))
    a, b, c = tokenizer.encode("a b c")
    assert tokenizer.chat("a") == [bos, a, eos]
    assert tokenizer.chat("c", [("a", "b")]) == [bos, a, mask, b, bos, c, eos]
    many = [("a", "b")] * 11  # the name of message 1 is no beginning of that of message 11
    assert tokenizer.chat("c", many) == [*[bos, a, mask, b] * 11, bos, c, eos]


def test_a_conversation_is_kept_as_far_as_there_is_room(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    talk = chatting.Talk(Options(what=""), chatty(9), chatty(9).model, [])
    seen: list[int] = []
    real = Prompter.request

    def request(self: Prompter, *parts: object) -> object:
        found = real(self, *parts)  # type: ignore[arg-type]
        seen.append(len(found.example.prompt))
        return found

    monkeypatch.setattr(Prompter, "request", request)
    monkeypatch.setattr(requests, "samples", lambda *_: [_sample()])
    for index in range(4):
        talk.answer(index, "a b")
    assert seen == [4, 8, 8, 8]  # bos a b eos; with the turn before: bos a b mask c bos a b eos
    assert capsys.readouterr().out.count("the first 1 of 2 turns are forgotten") == 2
    assert len(talk.turns) == 2
    with pytest.raises(UsageError, match="there is room for 9"):
        talk.answer(5, " ".join("abcdefgh"))


def _sample() -> generate.Sample:
    from xlm_runtime.plug import Example

    return generate.Sample(Example(0, ()), (), 1)


def lines(*texts: str) -> Iterator[str]:
    yield from texts


def test_a_chat_goes_on_until_the_user_leaves(
    trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "a b c d\n\nx\n/new\na b c d e\nh g f e\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert main.chat(Options(what=str(trained))) == 0
    printed = capsys.readouterr()
    model = xlm_runtime.load(trained)
    assert printed.out.splitlines() == model.generate(["a b c d", "h g f e"])
    assert "each prompt for itself" in printed.err
    assert "error: unknown: 'x'" in printed.err
    assert "error: the prompt has 5 tokens" in printed.err


def test_ctrl_c_stops_an_answer_and_at_the_prompt_the_chat(
    trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = lines("a b c d", "a b c d")

    def prompt(_: str) -> str:
        try:
            return next(asked)
        except StopIteration:
            raise KeyboardInterrupt from None

    def answer(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("builtins.input", prompt)
    monkeypatch.setattr(chatting.Talk, "answer", answer)
    assert main.chat(Options(what=str(trained))) == 0
    assert capsys.readouterr().err.count("(stopped)") == 2
