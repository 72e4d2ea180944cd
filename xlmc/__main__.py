"""``xlmc`` and ``python -m xlmc``."""

import gc
import signal
import sys


def main() -> None:
    """Run the command line and exit with its code."""
    gc.disable()  # no command but `run` lives long enough for it to pay
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `xlmc ... | head` ends quietly
    try:
        from xlmc.commands.cli import execute

        code = execute(sys.argv[1:])
    except KeyboardInterrupt:  # before there was a command to interrupt
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
