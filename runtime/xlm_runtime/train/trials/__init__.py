"""Trials of a training: a few steps that write no run.

``plan`` measures the time and memory of a step, ``rate`` looks for a learning rate, ``overfit``
learns one batch by heart.
"""
