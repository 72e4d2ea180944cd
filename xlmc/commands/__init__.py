"""The command line, one module for each command.

A command reads its options, calls the compiler or the runtime, and prints; `xlmc.commands.cli`
lists them.
"""
