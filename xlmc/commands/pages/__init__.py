"""Pages of the documentation that are generated, as Markdown; `xlmc doc` writes them.

A module enters if it makes one page, or holds what a page is made from. Each takes data and gives
text: the commands read files and run packages.
"""
