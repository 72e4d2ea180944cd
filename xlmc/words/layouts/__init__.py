"""The layouts of a sequence, one module each: a class of `Layout`."""
