"""``xlmc`` and ``python -m xlmc``."""

import gc
import signal
import sys


def main() -> None:
    """Runs the command line and exits with its code."""
    gc.disable()  # no command but `run` lives long enough for it to pay
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `xlmc ... | head` ends quietly
    from xlmc.cli import execute

    sys.exit(execute(sys.argv[1:]))


if __name__ == "__main__":
    main()
