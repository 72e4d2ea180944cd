"""Models that nobody trained, for what holds whatever they say."""

from pathlib import Path

from xlm_runtime.config.settings import Setting, build
from xlm_runtime.model.model import make
from xlm_runtime.packages import package
from xlm_runtime.tokenizers import words
from xlm_runtime.use.loaded import Loaded

EXAMPLES = Path(__file__).parents[1] / "examples"


def untrained(name: str, prompt: int = 0, folder: Path = EXAMPLES, **noise: int) -> Loaded:
    """A tiny model of a family with fresh weights, for texts of up to 8 letters."""
    family = package.load(folder / name).family
    tokenizer = words("abcdefgh", family.specials)
    sets = {"model.size": "tiny"} | {f"noise.{param}": value for param, value in noise.items()}
    config = build(family, [], [Setting(path, value, "the test") for path, value in sets.items()])
    model = make(family, tokenizer.vocabulary, "text", 8, config)
    model.network.eval()
    return Loaded(model, tokenizer, config, prompt, [8])
