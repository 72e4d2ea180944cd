"""The distributions of the amount of noise, one module each: a class of `Amount`."""
