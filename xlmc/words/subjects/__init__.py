"""The subjects of a score, behind `of`, one module each: a class of `Subject`."""
