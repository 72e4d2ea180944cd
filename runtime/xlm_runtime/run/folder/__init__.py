"""Run folders: their names and files, and a run's own copy of its package.

A module enters if it finds, reads or writes the files of a run, and runs no family.
"""
