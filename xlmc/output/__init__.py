"""Packages on the disk: written whole or not at all, and compared with their specs.

A module enters if it reads or changes the folder of a package; it computes no byte of one.
"""
