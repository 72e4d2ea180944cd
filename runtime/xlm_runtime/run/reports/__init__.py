"""Evaluations as they are shown: in a terminal, on a card, side by side, and on a page.

A module enters if it reads what jobs have left. None computes a number anew.
"""
