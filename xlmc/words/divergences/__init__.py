"""The divergences, one module each: a class of `Divergence` with its uses."""
