"""Training: the Lightning module and fit, the optimiser, checkpoints and logs.

A module enters if it serves the training loop; evaluation and sampling belong to
`xlm_runtime.model`.
"""
