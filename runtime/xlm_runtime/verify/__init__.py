"""Is a package right? Toys that can be listed, and a table in the network's place.

The table has a free row for every state, is fitted with the package's own loss and sampled with its
own decoders. What comes out is held against the toy's law and against what the package claims.

Nothing here knows a family: it asks the plug, and lets a probe find out what a network sees.
It is blind to positive reweighting where the best answers do not depend on it, except where the
package says that its loss is the likelihood; the laws under ``tests/laws`` see the rest.
"""
