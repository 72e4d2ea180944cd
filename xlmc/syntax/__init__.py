"""The front end: text becomes a tree, and a tree becomes text.

The grammar and its parser, the tree with its queries, recovery after an error, and the canonical
layout. Nothing here knows what a family means; a module enters if it needs the text or the shape
of a tree alone.
"""
