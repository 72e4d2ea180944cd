"""The conditions under which an answer is used again, one module each: a class of `Reuse`."""
