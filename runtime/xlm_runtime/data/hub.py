"""The Hugging Face Hub, and one clear error where it cannot be reached."""

import errno
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import Any, cast

from xlm_runtime.data.rows import Dropped, Place, fault, plain
from xlm_runtime.system.errors import RunError, UsageError

_BATCH = 1000
_WAIT = 10  # seconds for a short answer
_AT_ONCE = 16  # files whose ends are read at once
_NAME = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)


def is_name(text: str) -> bool:
    """Return whether a text has the form OWNER/NAME."""
    return bool(_NAME.fullmatch(text))


def check_name(repo: str, asked: str) -> None:
    """Refuse a name that no repository can have; the message begins with ``asked``."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    if not is_name(repo):
        raise UsageError(f"{asked}: not the form of a name on the Hub: write OWNER/NAME")
    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        raise UsageError(f"{asked}: no name on the Hub: {error}") from error


@contextmanager
def reaching(what: str, instead: str) -> Iterator[None]:
    """Run Hub calls, served from the local Hub cache when the Hub does not answer.

    ``what`` is requested; ``instead`` describes an alternative for the user. Raises RunError.
    """
    with _quiet(), _offline(not _reachable()):
        try:
            yield
        except failures() as error:
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise RunError(f"no space left to download {what}") from error
            raise RunError(f"{_reason(what, error)}\n{instead}") from error


def dataset(
    repo: str, files: Mapping[str, str], revision: str, instead: str, *, streaming: bool = False
) -> Any:
    """Return the splits of a data set: ``files`` maps splits to patterns of files in ``repo``.

    ``streaming``: rows are fetched when they are read, within `reaching`, and nothing is kept.
    Raises RunError, which ends with ``instead``, if the Hub or the data set cannot be reached.
    """
    with reaching(f"the data set {repo}", instead):
        from datasets import load_dataset

        return load_dataset(repo, data_files=dict(files), revision=revision, streaming=streaming)


def counts(repo: str, files: str, revision: str, instead: str) -> dict[str, int]:
    """Return the number of rows of each Parquet file that a pattern names, by address, in order.

    Only the ends of the files are read. Raises RunError, which ends with ``instead``, if the Hub or
    the data set cannot be reached.
    """
    with reaching(f"the data set {repo}", instead):
        from datasets import load_dataset_builder

        found = load_dataset_builder(repo, data_files={"train": files}, revision=revision)
        names = list((found.config.data_files or {})["train"])
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return dict(zip(names, pool.map(_rows, names), strict=True))


def ending(repo: str, files: str, revision: str, instead: str, last: int) -> tuple[Any, int]:
    """Return the last rows of Parquet files, one by one, and the number of rows before them.

    No file without any of them is read; see `counts`.
    """
    found, names, rows = counts(repo, files, revision, instead), list[str](), 0
    for name, count in reversed(found.items()):
        if rows < last:
            names, rows = [name, *names], rows + count
    with reaching(f"the data set {repo}", instead):
        from datasets import load_dataset

        data = load_dataset("parquet", data_files=names, split="train", streaming=True)
    return data.skip(max(0, rows - last)), max(0, sum(found.values()) - last)


def _rows(address: str) -> int:
    """Return the number of rows of a Parquet file, local or on the Hub."""
    import fsspec  # type: ignore[import-untyped]
    import pyarrow.parquet as pq

    with fsspec.open(address) as file:
        return int(pq.ParquetFile(file).metadata.num_rows)


def commit(repo: str, revision: str) -> str | None:
    """Return the commit of a branch of a data set; None if the Hub does not answer."""
    from huggingface_hub import HfApi

    if not _reachable():
        return None
    with _quiet():
        try:
            return HfApi().dataset_info(repo, revision=revision, timeout=_WAIT).sha
        except failures():
            return None


def has(split: Any, columns: Sequence[str], repo: str, instead: str) -> None:
    """Check that a split of a data set has some columns.  Raises RunError."""
    missing = [column for column in columns if column not in split.column_names]
    if missing:
        raise RunError(
            f"the data set {repo} has no column '{missing[0]}', its columns are "
            f"{', '.join(split.column_names)}: it has changed since this was written\n{instead}"
        )


def cells(
    split: Any,
    columns: Sequence[str],
    name: str,
    dropped: Dropped,
    as_text: Callable[[object], object] = plain,
    before: int = 0,
) -> Iterator[tuple[Place, tuple[str, ...]]]:
    """Yield the texts of some columns of the split ``name``, with the place of each row.

    Rows without a text in each of them go to ``dropped``. ``before`` rows are not in ``split``.
    """
    rows = (
        row
        for batch in split.iter(batch_size=_BATCH)
        for row in zip(*(batch[column] for column in columns), strict=True)
    )
    for number, row in enumerate(rows, before + 1):
        values, place = tuple(map(as_text, row)), Place(name, number)
        if faults := [found for found in map(fault, values) if found]:
            dropped.note(f"{faults[0]} in {name}", place)
        else:
            yield place, cast("tuple[str, ...]", values)


def first(split: Any, columns: Sequence[str], repo: str, instead: str) -> str:
    """Return the first of some columns that a split has.  Raises RunError if it has none."""
    found = next((column for column in columns if column in split.column_names), columns[0])
    has(split, (found,), repo, instead)
    return found


def snapshot(repo: str, patterns: Sequence[str], instead: str, kind: str = "model") -> Path:
    """Fetch the files of a repository that match some patterns; return their folder.

    The token comes from the environment or from `hf auth login`. Raises RunError, which ends with
    ``instead``, if they cannot be fetched.
    """
    from huggingface_hub import snapshot_download

    with reaching(f"the {kind} {repo}", instead):
        return Path(snapshot_download(repo, allow_patterns=list(patterns)))


def taken(
    repo: str, chosen: Callable[[list[str]], list[str]], instead: str
) -> tuple[list[str], Path]:
    """Fetch the files that ``chosen`` selects from a list of all; return names and folder.

    Nothing is fetched before the selection. The folder is named after the commit. Raises RunError,
    which ends with ``instead``, if they cannot be fetched, and whatever ``chosen`` raises.
    """
    from huggingface_hub import HfApi, snapshot_download

    with reaching(f"the run {repo}", instead):
        if not _reachable():
            found = Path(snapshot_download(repo, local_files_only=True))
            every = [path.relative_to(found).as_posix() for path in sorted(found.rglob("*"))]
            return chosen([name for name in every if (found / name).is_file()]), found
        about = HfApi().model_info(repo)
        names = chosen([one.rfilename for one in about.siblings or ()])
        exact = [escape(name) for name in names]
        return names, Path(snapshot_download(repo, revision=about.sha, allow_patterns=exact))


def send(folder: Path, repo: str, message: str, replaced: Sequence[str]) -> str:
    """Commit a folder to a model repository, created if it is missing; return its address.

    A new repository is private. Files in it that match ``replaced`` are deleted unless the folder
    has them. Raises RunError if the Hub cannot be reached or refuses.
    """
    from huggingface_hub import HfApi

    hub = HfApi()
    with _quiet():
        try:
            where = hub.create_repo(repo, private=True, exist_ok=True)
            hub.upload_folder(
                repo_id=where.repo_id,
                folder_path=folder,
                commit_message=message,
                delete_patterns=list(replaced),
            )
        except failures() as error:
            raise RunError(f"nothing was pushed to {repo}: {_refusal(repo, error)}") from error
    return str(where)


def failures() -> tuple[type[Exception], ...]:
    """Return the exceptions that a call of the Hub, or of a file system, may raise."""
    from huggingface_hub.errors import HfHubHTTPError

    # the bases name the error of whichever library it speaks HTTP with
    return cast("tuple[type[Exception], ...]", (OSError, *HfHubHTTPError.__bases__))


def _refusal(repo: str, error: Exception) -> str:
    """Explain why the Hub refuses an upload."""
    from huggingface_hub.errors import HfHubHTTPError

    if not isinstance(error, HfHubHTTPError):
        return f"the Hub cannot be reached ({type(error).__name__})"
    status = error.response.status_code
    if status == 401:
        return "the Hub does not accept your login: run `hf auth login`, or set a valid HF_TOKEN"
    if status in (403, 404):
        return f"your token may not write to {repo}: it needs the role `write`, and you need access"
    return f"the Hub answers with {status}: {error.server_message or 'no reason'}"


def _reason(what: str, error: Exception) -> str:
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    if isinstance(error, GatedRepoError):
        return f"{what} needs permission: accept its terms on its page, then run `hf auth login`"
    if isinstance(error, RepositoryNotFoundError):
        return f"the Hub has no {what}, or it is private: check the name, or run `hf auth login`"
    if isinstance(error, PermissionError):
        return f"{what} cannot be saved: {error.filename}: {error.strerror}"
    return f"{what} is not on this machine, and the Hub cannot be reached"


def _reachable() -> bool:
    """Return whether the Hub answers anything, with its library's client and proxies.

    `datasets` tries for 24 seconds to reach a Hub that does not answer before it reads its cache.
    """
    from huggingface_hub import constants, get_session

    try:
        get_session().head(constants.ENDPOINT, timeout=_WAIT)
    except failures():
        return False
    return True


@contextmanager
def _offline(wanted: bool) -> Iterator[None]:
    """Switch the Hub libraries to offline mode: they read caches and wait for no connection."""
    import datasets.config
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE, datasets.config.HF_HUB_OFFLINE
    if wanted:
        constants.HF_HUB_OFFLINE = datasets.config.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE, datasets.config.HF_HUB_OFFLINE = before


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the notices of every retry of the Hub libraries."""
    loggers = [logging.getLogger(name) for name in ("huggingface_hub", "datasets", "transformers")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
