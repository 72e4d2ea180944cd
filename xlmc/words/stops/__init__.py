"""The conditions that end a row, one module each: a class of `Stop`."""
