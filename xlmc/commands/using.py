"""The options that commands which use a trained model have in common."""

from collections.abc import Callable
from typing import Any

import click

from xlmc.commands.trust import trust_option

Command = Callable[..., Any]


def model(command: Command) -> Command:
    """Add the argument that names a model, and the options for its weights and its trust."""
    return _all(
        command,
        click.argument("what", metavar="RUN|PKG|HUB"),
        click.option("--ckpt", default="best", show_default=True, metavar="last|best|PATH"),
        click.option(
            "--weights",
            metavar="NAME",
            help="With PKG: published weights, OWNER/NAME, a folder, or `published`, what the spec "
            "names.",
        ),
        trust_option,
    )


def decoding(command: Command) -> Command:
    """Add the options of how texts are drawn."""
    return _all(
        command,
        click.option(
            "--length", type=int, metavar="N", help="Tokens of each text, given ones included."
        ),
        click.option("--seed", type=int, default=1, show_default=True, help="Of all draws."),
        click.option(
            "--decoder", metavar="NAME", help="A decoder of the family; else that of the run."
        ),
        click.option(
            "--set",
            "sets",
            multiple=True,
            metavar="decoder.NAME=VALUE",
            help="A param of the decoder: decoder.temperature=0.7.",
        ),
        click.option("--stop", "stops", multiple=True, metavar="TEXT", help="Where a text ends."),
        click.option(
            "--suppress",
            "suppressed",
            multiple=True,
            metavar="TOKEN",
            help="What is never written.",
        ),
        click.option(
            "--pause",
            type=float,
            default=0.05,
            show_default=True,
            metavar="SECONDS",
            help="How long a state is shown at least.",
        ),
    )


def scoring(command: Command) -> Command:
    """Add the options of how many texts are taken at once, and how they are scored."""
    return _all(
        command,
        click.option("--batch", type=int, default=64, show_default=True, help="Texts at once."),
        click.option(
            "--draws", type=int, default=32, show_default=True, help="Of noise for a likelihood."
        ),
    )


def _all(command: Command, *options: Callable[[Command], Command]) -> Command:
    """Add options, the first of which help lists first."""
    for option in reversed(options):
        command = option(command)
    return command
