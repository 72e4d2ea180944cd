"""Failures outside of a spec, reported in one line to the person who can mend them."""


class Failure(Exception):
    """The message is complete: what, where, why and what to do. No traceback is shown."""

    code = 4


class Refusal(Failure):
    """A step that would destroy somebody's work, or an output that differs from its specs."""

    code = 3


class Misuse(Failure):
    """A command without a sensible meaning, whatever the files hold."""

    code = 2
