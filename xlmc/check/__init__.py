"""Semantic checks: every error and warning of a complete tree, one module for each section.

The checks report diagnostics and change nothing. `xlmc.check.family` puts them together.
"""
