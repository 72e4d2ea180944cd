"""The rules by which an action takes places, one module each: a class of `Rule`."""
