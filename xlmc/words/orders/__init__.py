"""The scores by which places are ordered, one module each: a class of `Order`."""
