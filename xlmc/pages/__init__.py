"""Pages of the documentation that are generated, as Markdown; `xlmc doc --page` writes them.

A module is one page. Each takes data and gives text; the commands read files and packages.
"""
