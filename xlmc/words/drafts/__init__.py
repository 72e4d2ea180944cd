"""The laws of drafts, one module each: a class of `Law`."""
