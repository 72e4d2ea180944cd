"""Runs: folders, jobs, and the commands that a user gives.

The only room in which families, tasks and settings meet; the rest of the runtime lies below it.
"""
