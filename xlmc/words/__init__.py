"""The words of the language, one class a file, each with all that is known about it.

A word may import theory, the calculus and the syntax tree; never a check, a lowering or another
word: what it must know of other words comes in its context. A module enters if it is a word, a base
of words, or what looks words up.
"""
