"""The jobs of a command: training, evaluation, generation, scoring, and trials of a training.

A module enters if it works with a family and its data at once.
"""
