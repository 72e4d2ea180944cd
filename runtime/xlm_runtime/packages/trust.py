"""The reason for which the code of a run that came from elsewhere may be executed here.

A spec is data: a package that equals, byte for byte, the compiler's output for its own spec does
only what a spec can express. Any other code is executed once its user has agreed to it, and
agreement is to these very bytes. The runtime has no compiler: a command brings its judgement
along, and ``pulled.json``, which never comes with a run but is written by `pull`, keeps it for
later calls from Python.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from attrs import asdict, evolve, frozen

from xlm_runtime.packages.contents import Contents
from xlm_runtime.system.atomic import read_json, write_json
from xlm_runtime.system.errors import RunError, UsageError
from xlm_runtime.system.lock import Busy, locked

PULLED = "pulled.json"
MADE, AGREED = "made", "agreed"
Judge = Callable[[Mapping[str, bytes]], str]


@frozen
class Origin:
    """The repository and commit that a run came from, and the digest of the package as it came.

    allowed: digests of packages that may run -> ``made`` of the spec by the compiler, or ``agreed``
    to by the user.
    """

    repo: str
    commit: str
    package: str
    allowed: Mapping[str, str] = {}

    @staticmethod
    def of(run: Path) -> "Origin | None":
        """Return the origin of a run folder; None if the run was made here."""
        file = run / PULLED
        if not file.is_file():
            return None
        found = read_json(file)
        try:
            return Origin(**found)
        except TypeError as error:
            raise RunError(f"{file} is damaged: pull the run again: {error}") from error

    def write(self, run: Path) -> None:
        """Write the origin beside the run."""
        write_json(run / PULLED, asdict(self))


def _never(_: str) -> bool:
    return False


def _silent(_: str) -> None:
    pass


@frozen
class Trust:
    """The decisions by which a command or a call lets code run.

    judge: the files of a package -> why they are not what the compiler makes of a spec that names
        no code of its own; "" where they are. None where there is no compiler.
    agree: receives that reason; True lets the code run. `say`: shows a line.
    """

    judge: Judge | None = None
    agree: Callable[[str], bool] = _never
    say: Callable[[str], None] = _silent

    def check(self, contents: Contents) -> None:
        """Check that a package in a run from elsewhere may be executed.  Raises UsageError.

        Links do not hide where it lies.
        """
        run = contents.path.resolve().parent
        origin = Origin.of(run)
        if origin is None:
            return
        word = origin.allowed.get(contents.digest)
        if word is None:
            word = self._decided(contents, origin)
            self._keep(run, {contents.digest: word})
        if word == MADE:
            self.say("the code is exactly the output of xlmc for its spec")

    def _keep(self, run: Path, word: Mapping[str, str]) -> None:
        """Record a decision for later calls, unless another process works on the run."""
        try:
            with locked(run):
                origin = Origin.of(run)
                if origin is not None:
                    evolve(origin, allowed={**origin.allowed, **word}).write(run)
        except Busy as error:
            self.say(f"{error}; the decision on its code is not saved")

    def _decided(self, contents: Contents, origin: Origin) -> str:
        """Return the reason for which code may run for the first time.  Raises UsageError."""
        why = self.reason(contents)
        if not why:
            return MADE
        edited = "" if contents.digest == origin.package else ", and was altered since"
        found = f"the package at {contents.path} came from {origin.repo}{edited}\n  {why}"
        if not self.agree(found):
            raise UsageError(
                f"{found}\nnone of its code has been executed: read it, then allow it with --trust "
                "(from Python: trust=True)"
            )
        return AGREED

    def reason(self, contents: Contents) -> str:
        """Explain why a package is more than its spec; "" if it is not."""
        if self.judge is None:
            return "it has not been compared with the output of xlmc for its spec"
        return self.judge(contents.files)


DOUBT = Trust()  # nothing lets code from elsewhere run


def trusting(trust: bool) -> Trust:
    """Return the trust of a call from Python: all code is trusted, or none."""
    return Trust(agree=lambda _: trust)
