"""The windows of decoders, one module each: a class of `Window`."""
