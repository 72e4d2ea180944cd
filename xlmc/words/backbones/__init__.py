"""The backbones of the network, one module each: a class of `Backbone`."""
