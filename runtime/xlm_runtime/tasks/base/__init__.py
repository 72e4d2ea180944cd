"""The parts of tasks: the base class, sources of rows, encoding, and generators of problems.

Every other module of `xlm_runtime.tasks` is one task or a few that share their data.
"""
