"""The grids of times of decoders, one module each: a class of `Grid`."""
