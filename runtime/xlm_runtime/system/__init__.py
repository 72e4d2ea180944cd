"""The machine, the operating system and the process: files, hashes, progress, failures and bounds.

A module enters if it would serve any program that trains networks: it knows no family, task or
run.
"""
