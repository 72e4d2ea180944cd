"""Trials of a training: a few steps that leave no run behind.

``plan`` measures the time and memory of a step, ``rate`` looks for a learning rate, ``overfit``
learns one batch by heart.
"""
