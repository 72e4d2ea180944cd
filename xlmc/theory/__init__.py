"""The mathematics of a family: its process, its bound, its claims, and one probe of expressions.

A module enters if it draws a conclusion about a family from its tree. Nothing here reads generated
text or makes a message: `check` makes diagnostics of conclusions, `lower` makes code. What a term
of the loss trains comes from its word, as a `Part` of an `Objective`.
"""
