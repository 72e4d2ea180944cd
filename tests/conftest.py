"""What all tests share: golden files, and hypothesis without a clock."""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is no reason for a failure, and a failure must come back on the next run.
settings.register_profile(
    "calm", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("calm")

LAWS = Path(__file__).parent / "laws"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write what the tests got into the files that say what they should get",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Make slow what is not always run of tests with many cases; no slow test has a time limit."""
    for item in _rest(items):
        item.add_marker(pytest.mark.slow)
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.timeout(0))


def _rest(items: list[pytest.Item]) -> list[pytest.Item]:
    """Return all but a quarter of the cases of each law and of each test that is marked `many`.

    Two at least are kept, and always the same ones, for which a hash of the name decides.
    """
    cases: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in sorted(items, key=lambda item: crc32(item.nodeid.encode())):
        many = item.get_closest_marker("many") or LAWS in item.path.parents
        if many and not item.get_closest_marker("slow"):
            cases[item.nodeid.partition("[")[0]].append(item)
    return [item for some in cases.values() for item in some[max(2, -(-len(some) // 4)) :]]


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Compare a text with a file, or write it there under ``--update-golden``."""

    def check(path: Path, text: str) -> None:
        if request.config.getoption("--update-golden"):
            path.write_text(text, encoding="utf-8")
        assert path.is_file(), f"{path.name} is missing; `pytest --update-golden` writes it"
        assert text == path.read_text(encoding="utf-8")

    return check
