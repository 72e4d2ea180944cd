"""``xlmc chat``: a prompt, its answer as it is written, and so on until the user leaves."""

import sys
from collections.abc import Iterator

from attrs import frozen

from xlm_runtime.model import generate
from xlm_runtime.model.model import Model
from xlm_runtime.system.errors import UsageError
from xlm_runtime.system.progress import console, say, visible
from xlm_runtime.tokenizers import Turn
from xlm_runtime.use import live, requests
from xlm_runtime.use.loaded import Loaded
from xlm_runtime.use.opening import opened
from xlm_runtime.use.options import Options, check
from xlm_runtime.use.requests import Request, TooLong

_NEW = "/new"


@frozen(eq=False)
class Talk:
    """A model, and the exchanges of the conversation so far, where its task is a chat."""

    options: Options
    loaded: Loaded
    model: Model
    turns: list[Turn]

    @property
    def stops(self) -> tuple[str, ...]:
        """The strings at which answers end."""
        return self.options.stops or self.loaded.config.generate.stops

    def answer(self, index: int, text: str) -> str:
        """Return the answer to a message, the ``index``-th of all; show it as it is written."""
        request = self._request(index, text)
        tokenizer, options = self.loaded.tokenizer, self.options
        if not console.is_terminal:
            (sample,) = requests.samples(self.model, [request], 1, options.seed)
        else:
            with live.watching(tokenizer, options.pause) as screen:
                made = requests.samples(self.model, [request], 1, options.seed, screen.record)
                (sample,) = map(screen.sample, made)
        answer = generate.said(sample, tokenizer, self.stops)[1]
        if self.loaded.prompter.chats:
            self.turns.append((text, answer))
        return answer

    def _request(self, index: int, text: str) -> Request:
        """Return the request of a message; without room the oldest exchanges are left out."""
        prompter, options = self.loaded.prompter, self.options
        if options.length is not None:
            prompter.check_length("--length")
            if options.length > self.model.body:
                raise UsageError(f"--length: there is room for {self.model.body} tokens")
        for first in range(len(self.turns)):
            try:
                found = prompter.request(
                    index, text, options.length, options.seed, self.turns[first:]
                )
            except TooLong:
                continue
            if first:
                say(f"(the first {first} of {len(self.turns)} turns are forgotten: no room)")
                del self.turns[:first]
            return found
        found = prompter.request(index, text, options.length, options.seed)
        if self.turns:
            say("(all turns before are forgotten: there is no room for them)")
            self.turns.clear()
        return found


def chat(options: Options) -> None:
    """Answer the messages of a user until stdin ends.  Raises UsageError and RunError."""
    check(options)
    loaded = opened(options, chat=True).loaded
    stops = options.stops or loaded.config.generate.stops
    model = loaded.deciding(options.settings(), stops, options.suppressed)
    talk = Talk(options, loaded, model, [])
    kind = "a conversation" if loaded.prompter.chats else "each prompt for itself"
    say(f"{loaded!r}: {kind}; {_NEW} begins anew, Ctrl-D ends")
    for index, text in enumerate(_messages()):
        if text == _NEW:
            talk.turns.clear()
            continue
        try:
            print(visible_lines(talk.answer(index, text)), flush=True)
        except UsageError as error:  # of the message: the next one may be better
            say(f"error: {error}")
        except KeyboardInterrupt:
            say("(stopped)")


def visible_lines(text: str) -> str:
    """Return a text whose lines no character can overwrite."""
    return "\n".join(visible(line) for line in text.split("\n"))


def _messages() -> Iterator[str]:
    """Yield the lines of the user, without blank ones; Ctrl-C and Ctrl-D end them."""
    if sys.stdin.isatty():
        import readline  # noqa: F401  # arrow keys in `input`
    while True:
        try:
            text = input("> " if sys.stdin.isatty() else "")
        except (EOFError, KeyboardInterrupt):
            if sys.stdin.isatty():
                print()
            return
        except UnicodeDecodeError as error:
            raise UsageError(f"stdin is no text in UTF-8 ({error.reason})") from error
        if text.strip():
            yield text
