"""Fixtures for all tests."""

import os
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # for `support`
pytest.register_assert_rewrite("support")

if "PYTEST_XDIST_WORKER" in os.environ:  # several threads in each of several workers only wait for each other
    os.environ.setdefault("OMP_NUM_THREADS", "1")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_data():
    """Real videos, ground truth and weights, which are no part of the project."""
    if not (SHARED / "data").is_dir():
        pytest.skip("no ../shared/data here")
    return SHARED / "data"


@pytest.fixture(scope="session")
def shared_tools():
    """Stand-alone measuring scripts, which are no part of the project."""
    if not (SHARED / "tools").is_dir():
        pytest.skip("no ../shared/tools here")
    return SHARED / "tools"
