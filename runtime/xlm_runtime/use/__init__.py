"""A trained model at work for a person: prompts in, texts out, and the likelihood of texts.

A module enters if it serves a command or a library that uses a model without evaluating a task.
"""
