"""Run folders: their names and files, and a run's own copy of its package.

A module enters if it says where something of a run lies or what may lie there, and runs nothing.
"""
