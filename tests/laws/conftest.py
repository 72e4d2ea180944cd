"""Fixtures of the laws: packages compiled once a session."""

import os

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
    here = tmp_path_factory.getbasetemp()
    together = here.parent if "PYTEST_XDIST_WORKER" in os.environ else here
    shared = together / "packages"
    shared.mkdir(exist_ok=True)
    return build.Workshop(tmp_path_factory.mktemp("laws"), shared=shared)


@pytest.fixture
def package(request, workshop) -> build.Package:
    return workshop.package(request.param)
