"""The states that decoders start from, one module each: a class of `Start`."""
