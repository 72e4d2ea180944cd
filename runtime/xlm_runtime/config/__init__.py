"""Configurations of runs: sections, defaults, and the settings that override them.

A new setting is a field of a section in `xlm_runtime.config.config`; nothing else has to know it.
"""
