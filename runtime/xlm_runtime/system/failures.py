"""Failures of the machine in the middle of a run, in one line with a remedy.

Libraries report a full memory or a lost process by errors of no class of their own, which only
their texts distinguish.
"""

import errno
import os
import shutil
import sys
import threading
from collections.abc import Sequence
from subprocess import Popen
from time import sleep

import torch

GOES_ON = "saved files are kept, and the same command resumes from there"
_REMEDIES = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f), or write to another disk",
    errno.ENAMETOOLONG: "give a shorter one",
    errno.EACCES: "change its rights, or choose another folder",
    errno.EROFS: "choose a folder that may be written to",
    errno.EMFILE: "choose fewer train.workers, or raise the limit on open files (ulimit -n)",
    errno.ENOMEM: "choose fewer train.workers",
    errno.EAGAIN: "choose fewer train.workers, or raise the limit on processes (ulimit -u)",
}
_MEMORY = ("can't allocate memory", "out of memory", "unable to allocate")
_GONE = ("connection closed by peer", "connection reset by peer", "broken pipe")
_SMALLER = (
    "choose a smaller train.device_batch, eval.batch, generate.batch or data.block, or a smaller "
    "model"
)
_LOST = "a process of this run is gone: it was ended from outside, often for lack of memory"


def remedy(error: OSError) -> str:
    """Return the remedy for an error of the system; empty if its reason suffices."""
    return _REMEDIES.get(error.errno or 0, "")


def out_of_memory(error: BaseException) -> bool:
    """Return whether an error means that host or device are out of memory."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(words in text for words in _MEMORY)


def said(error: Exception) -> str:
    """Describe an error of the machine in words; empty for others, which need a traceback."""
    if isinstance(error, shutil.Error):  # of several files, each with its reason
        _, name, reason = error.args[0][0]
        return f"{name} cannot be written: {reason.partition(': ')[0]}; {GOES_ON}"
    if isinstance(error, OSError) and (what := remedy(error)):
        name = str(error.filename or "")
        where = f"{name if len(name) <= 100 else f'{name[:100]}...'}: " if name else ""
        return f"{where}{error.strerror}: {what}; {GOES_ON}"
    if out_of_memory(error):
        return f"out of memory: {_SMALLER}; {GOES_ON}"
    text = str(error)
    if isinstance(error, RuntimeError) and text.startswith("DataLoader worker"):
        first = text.partition(". ")[0].splitlines()[0]
        return f"{_LOST} ({first}): choose fewer train.workers; {GOES_ON}"
    if isinstance(error, RuntimeError) and any(words in text.lower() for words in _GONE):
        return f"{_LOST}; {GOES_ON}"
    return ""


class Siblings(threading.Thread):
    """Ends this process, in words, where one that it has launched was ended.

    Lightning ends all of them as well, a little later and without a word.
    """

    def __init__(self, launched: Sequence[Popen[bytes]], code: int) -> None:
        super().__init__(daemon=True, name="siblings")
        self.launched, self.code = launched, code

    def run(self) -> None:
        """Check the processes twice a second, until all have ended."""
        codes: list[int | None] = [None]
        while None in codes:
            codes = [one.poll() for one in self.launched]
            if lost := [-code for code in codes if code is not None and code < 0]:
                why = f"{_LOST} (by signal {lost[0]})"
                print(f"error: {why}; {GOES_ON}", file=sys.stderr, flush=True)
                for one in self.launched:
                    one.kill()
                os._exit(self.code)
            sleep(0.5)
