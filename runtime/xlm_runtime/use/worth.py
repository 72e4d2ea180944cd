"""The likelihoods of texts that were generated."""

from collections.abc import Sequence

from xlm_runtime.model import scores
from xlm_runtime.model.generate import Sample
from xlm_runtime.model.model import Model
from xlm_runtime.model.scores import LogLikelihood
from xlm_runtime.plug import Example
from xlm_runtime.use import requests
from xlm_runtime.use.loaded import Loaded
from xlm_runtime.use.options import Options
from xlm_runtime.use.requests import Request

_Key = tuple[bool, int]


def worths(
    model: Model,
    loaded: Loaded,
    wanted: Sequence[Request],
    samples: Sequence[Sample],
    options: Options,
) -> list[LogLikelihood]:
    """Return the log-likelihood of each sample; equal texts are scored once."""
    models = dict.fromkeys((False, True), model)
    if any(request.infills for request in wanted):
        models[True] = requests.infilling(model)
    keys: list[_Key] = []
    unlike: dict[_Key, Example] = {}
    for request, sample in zip(wanted, samples, strict=True):
        own = models[request.infills]
        ended = own.vocabulary.specials.get("eos") in sample.ids
        body = loaded.tokenizer.body(sample.ids)
        example = scores.answered(own, request.example, body, ended=ended)
        keys.append((request.infills, scores.key(example)))
        unlike[keys[-1]] = example
    found: dict[_Key, LogLikelihood] = {}
    for infills, own in models.items():
        some = [key for key in unlike if key[0] == infills]
        examples = [unlike[key] for key in some]
        size, draws = options.batch, options.draws
        values = scores.scored(own, examples, loaded.lengths, size=size, draws=draws)
        found |= dict(zip(some, values, strict=True))
    return [found[key] for key in keys]
