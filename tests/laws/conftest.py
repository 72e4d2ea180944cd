"""Fixtures of the laws: packages compiled once a session."""

import pytest
import torch
from laws import build


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def workshop(tmp_path_factory) -> build.Workshop:
    return build.Workshop(tmp_path_factory.mktemp("laws"))


@pytest.fixture
def package(request, workshop) -> build.Package:
    return workshop.package(request.param)
