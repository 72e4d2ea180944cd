"""Runs: commands that a user gives, the jobs they mean, and what these leave.

The only room in which families, tasks and settings meet; most of the runtime lies below it. The
modules here make a plan of a command and carry it out.
"""
