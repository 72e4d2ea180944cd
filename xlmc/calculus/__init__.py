"""The mathematics of schedules: derivative, hazard, inverse, and their stable forms.

Expressions become SymPy, are rewritten so that they keep their digits, and become code and LaTeX.
A module enters if it computes with expressions; it knows no section of a spec.
"""
