"""The arrows of the noise, one module each: a class of `Noise`, named by its last arrow."""
