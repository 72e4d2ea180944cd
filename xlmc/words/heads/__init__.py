"""The heads of the network, one module each: a class of `Head`."""
