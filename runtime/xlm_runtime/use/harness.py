"""A trained run as a model of lm-evaluation-harness: likelihoods and answers for its tasks.

``lm_eval.simple_evaluate(model=Harness(xlm_runtime.load(RUN)), tasks=[...])``; `xlmc lm-eval` does
the same, and `xlm_runtime.use.lm_eval` the harness's own command. Needs the extra ``lm-eval``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.api.model import LM
from lm_eval.utils import simple_parse_args_string

from xlm_runtime.config.settings import Setting
from xlm_runtime.model import holes, scores
from xlm_runtime.model.scores import LogLikelihood
from xlm_runtime.system.errors import UsageError
from xlm_runtime.system.progress import Watch
from xlm_runtime.tokenizers import before
from xlm_runtime.use import opening, requests
from xlm_runtime.use.loaded import Loaded
from xlm_runtime.use.options import Options, check
from xlm_runtime.use.requests import Request
from xlm_runtime.use.texts import Scorer

_ARGUMENTS = ("run", "ckpt", "weights", "draws", "seed")
_LONGEST = 256  # tokens of an answer where a task sets no number, as the harness has it


class Harness(LM):  # type: ignore[misc]
    """The interface of lm-evaluation-harness to a trained run.

    A run that answers prompts answers contexts, with the continuation as its whole answer; a run of
    texts continues them. A context that does not fit loses its beginning.

    greedy: `loglikelihood` also reports whether decoding without randomness writes the
        continuation, for a call of the decoder each; else it reports False.
    seen: the claims and conditions of all likelihoods so far.
    cropped: the number of contexts that lost their beginning.
    """

    def __init__(
        self,
        loaded: Loaded,
        *,
        batch: int = 64,
        draws: int = scores.DRAWS,
        seed: int = 1,
        greedy: bool = False,
    ) -> None:
        super().__init__()
        self.loaded, self.batch, self.seed, self.greedy = loaded, batch, seed, greedy
        self.scorer = Scorer(loaded.prompter, batch, draws)
        frame = loaded.tokenizer.chat("") if loaded.prompter.chats else []
        self.prompt = loaded.prompt - len(frame)
        self.seen: set[tuple[str, str]] = set()
        self.cropped = 0

    @classmethod
    def create_from_arg_obj(
        cls, arg_dict: Mapping[str, Any], additional_config: Mapping[str, Any] | None = None
    ) -> "Harness":
        """Open the model that ``--model_args`` of the harness names.

        run: a run, package or repository as `xlmc lm-eval` takes it. ckpt, weights, draws, seed:
        as there. greedy: see the class; here it is true where nothing is given, so that ``acc`` of
        every task is right. ``batch_size`` is of the harness. Raises UsageError.
        """
        found = dict(arg_dict)
        greedy = bool(found.pop("greedy", True))
        unknown = found.keys() - {*_ARGUMENTS}
        if unknown or "run" not in found:
            wrong = f"there is no {', '.join(sorted(unknown))}" if unknown else "name a run"
            raise UsageError(
                f"--model_args: {wrong}; write run=RUN, and as you like "
                f"{', '.join((*_ARGUMENTS[1:], 'greedy'))}"
            )
        size = (additional_config or {}).get("batch_size") or 64
        if not str(size).isdecimal():
            raise UsageError(f"--batch_size {size}: write a number")
        what = str(found.pop("run"))
        options = Options(what=what, batch=int(size), likelihood=True, **found)
        check(options)
        loaded = opening.opened(options).loaded
        how = {"batch": options.batch, "draws": options.draws, "seed": options.seed}
        return cls(loaded, greedy=greedy, **how)

    @classmethod
    def create_from_arg_string(
        cls, arg_string: str, additional_config: Mapping[str, Any] | None = None
    ) -> "Harness":
        """Open the model that a text of ``key=value,key=value`` names."""
        return cls.create_from_arg_obj(simple_parse_args_string(arg_string), additional_config)

    def loglikelihood(self, requests: Sequence[Instance]) -> list[tuple[float, bool]]:
        """Return log p of each continuation given its context, and whether it is the greedy one."""
        pairs = [self._fitting(*one.args) for one in requests]
        texts = [self._text(*pair) for pair in pairs]
        contexts = [holes.literal(context) for context, _ in pairs]
        found = self._noted(self.scorer.scored(texts, contexts))
        greedy = self._greedy(pairs) if self.greedy else [False] * len(pairs)
        return [(one.value, same) for one, same in zip(found, greedy, strict=True)]

    def loglikelihood_rolling(self, requests: Sequence[Instance]) -> list[float]:
        """Return log p of each text, with its length where the family is given it."""
        if self.loaded.prompt:
            raise UsageError("this run answers prompts: tasks of whole texts need a run of texts")
        return [one.whole for one in self._noted(self.scorer.scored(_first(requests), None))]

    def generate_until(self, requests: Sequence[Instance]) -> list[str]:
        """Return the answer to each context, up to the first of the strings of its task."""
        found: list[str] = [""] * len(requests)
        groups: dict[str, list[int]] = {}
        for place, one in enumerate(requests):
            groups.setdefault(repr(sorted(one.args[1].items())), []).append(place)
        for places in groups.values():
            options = dict(requests[places[0]].args[1])
            contexts = [requests[i].args[0] for i in places]
            for place, answer in zip(places, self._answers(contexts, options), strict=True):
                found[place] = answer
        return found

    def get_model_info(self) -> dict[str, Any]:
        """Return the facts that results are reported with."""
        return {
            "xlmc_model": repr(self.loaded),
            "xlmc_likelihood": sorted(", ".join(filter(None, one)) for one in self.seen),
            "xlmc_cropped_contexts": self.cropped,
        }

    def _noted(self, found: list[LogLikelihood]) -> list[LogLikelihood]:
        self.seen |= {(one.claim, one.given) for one in found}
        return found

    def _text(self, context: str, continuation: str) -> str:
        return continuation if self.loaded.prompt else context + continuation

    def _fitting(self, context: str, continuation: str) -> tuple[str, str]:
        """Return a context as far as there is room for it; an answer without blanks around it."""
        if self.loaded.prompt:
            return self._cropped(context, self.prompt), continuation.strip()
        size = len(self.loaded.tokenizer.encode(continuation))
        return self._cropped(context, max(self.scorer.room - size - 1, 0)), continuation

    def _cropped(self, context: str, room: int) -> str:
        """Return the end of a context that has at most so many tokens."""
        tokenizer, kept = self.loaded.tokenizer, context
        for size in range(room, -1, -1):  # a part of a text may have more tokens than in the whole
            ids = tokenizer.encode(kept)
            if len(ids) <= room:
                break
            kept = tokenizer.decode(ids[len(ids) - size :])
        self.cropped += kept != context
        return kept

    def _greedy(self, pairs: Sequence[tuple[str, str]]) -> list[bool]:
        """Return whether the answer without randomness is the continuation."""
        made = []
        for context, continuation in pairs:
            size = len(self.loaded.tokenizer.encode(continuation))
            (answer,) = self._answers([context], {"max_gen_toks": size})
            made.append(answer.strip() == continuation.strip())
        return made

    def _answers(self, contexts: Sequence[str], options: dict[str, Any]) -> list[str]:
        """Return answers with the options of a task: until, max_gen_toks, temperature, top_p."""
        until = options.get("until") or []
        stops = [until] if isinstance(until, str) else [one for one in until if one]
        most = int(options.get("max_gen_toks") or _LONGEST)
        model = self.loaded.deciding(self._settings(options), stops, ())
        wanted = [self._request(i, context, most) for i, context in enumerate(contexts)]
        with Watch("generate", len(wanted)) as watch:
            answers = []
            for sample in requests.samples(model, wanted, self.batch, self.seed):
                body = self.loaded.tokenizer.body(sample.ids)
                text = self.loaded.tokenizer.decode(body)
                behind = text[self.loaded.tokenizer.behind(body, sample.given) :]
                answers.append(before(behind, stops))
                watch.at(len(answers))
        return answers

    def _request(self, index: int, context: str, most: int) -> Request:
        prompter, room = self.loaded.prompter, self.scorer.room
        if self.loaded.prompt:
            text = holes.literal(self._cropped(context, self.prompt))
            return prompter.request(index, text, None, self.seed)
        text = self._cropped(context, max(room - min(most, room // 2), 1))
        known = len(self.loaded.tokenizer.encode(text))
        length = None if prompter.decides else min(known + most, room)
        return prompter.request(index, holes.literal(text), length, self.seed)

    def _settings(self, options: dict[str, Any]) -> list[Setting]:
        """Return the settings of the decoder; without sampling its temperature is 0."""
        name = self.loaded.config.decoder.name
        known = {param.name for param in self.loaded.model.family.params.get(name, ())}
        wanted = {key: options[key] for key in ("temperature", "top_p", "top_k") if key in options}
        if not options.get("do_sample", False):
            wanted = {"temperature": 0.0}
        return [
            Setting(f"decoder.{key}", value, f"{key} of the task")
            for key, value in wanted.items()
            if key in known and value is not None
        ]


def _first(requests: Sequence[Instance]) -> list[str]:
    return [one.args[0] for one in requests]
