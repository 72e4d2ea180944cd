"""Messages about a spec: their texts, their places, and their printing.

Source text with its spans, the classes of all syntax and semantic errors with their stable codes,
and the small mistakes that `xlmc explain` shows. Whatever detects an error lives with the stage
that detects it.
"""
