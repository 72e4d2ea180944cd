"""What went wrong outside of a spec: said in one line to the person who can mend it."""


class Failure(Exception):
    """The message is complete: what, where, why and what to do. No traceback is shown."""

    code = 4


class Refusal(Failure):
    """Going on would destroy somebody's work, or the output is not what the specs make."""

    code = 3


class Misuse(Failure):
    """The command asks for something that makes no sense, whatever the files hold."""

    code = 2
