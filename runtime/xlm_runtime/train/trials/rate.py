"""A learning rate: the held-out loss after a few steps at each of some rates."""

from collections.abc import Iterator
from copy import deepcopy
from math import inf, isfinite

from attrs import evolve

from xlm_runtime.config.config import Config
from xlm_runtime.model import evaluate
from xlm_runtime.model.model import Model, first
from xlm_runtime.system.env import device
from xlm_runtime.tasks.base.prepared import Split
from xlm_runtime.train.fit import loader
from xlm_runtime.train.module import Training
from xlm_runtime.train.trials import bench

RATES = (3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
STEPS, WARM = 100, 10
HELD = 256  # examples


def losses(model: Model, data: Split, held: Split, config: Config) -> Iterator[tuple[float, float]]:
    """Yield each rate with the held-out loss of the weights after `STEPS` steps on one device.

    Each rate begins with a copy of the model, and sees the same examples under the same noise. The
    search of Lightning (Smith 2017, arXiv 1506.01186) names the rate at which the loss of training
    falls most steeply from step to step: where noise is drawn anew in every step, that is chance.
    """
    examples = [*first(held, HELD)]
    for rate in RATES:
        copy = evolve(model, network=deepcopy(model.network))
        train = evolve(
            bench.alone(config.train, STEPS), learning_rate=rate, warmup=WARM, schedule="constant"
        )
        bench.fit(Training(copy, train), loader(copy, data, train, 0, 0), train, [])
        copy.network.to(device()).eval()
        loss = evaluate.losses(copy, examples, config.eval.batch)["loss"]
        yield rate, loss if isfinite(loss) else inf
