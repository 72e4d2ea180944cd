"""Rows of data without a meaning: files, formats, the Hub, and ids on disk.

A module enters if it reads or stores rows for any task.
"""
