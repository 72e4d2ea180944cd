"""A family with its network: weights, evaluation and generation.

A module enters if it calls the functions of a family; it knows no run folder and no command.
"""
