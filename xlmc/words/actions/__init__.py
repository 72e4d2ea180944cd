"""The actions of a step, one module each: a class of `Action`."""
