"""One complete tree per family: parents are merged, and omitted parts get their defaults.

The library of specs, `extends`, duplicates, and the line of a spec that each part came from.
Checks that need the meaning of a part belong to `xlmc.check`.
"""
