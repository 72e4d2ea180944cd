"""The subjects of a score, after `of`, one module each: a class of `Subject`."""
