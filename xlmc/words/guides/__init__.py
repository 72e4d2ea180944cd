"""The ways to guide answers, one module each: a class of `Guide`."""
