"""Generated packages: read once, compared, trusted, and imported from those bytes.

A module enters if it decides whether and how the code of a package is executed.
"""
