"""What `pip install` brings: a pure wheel with models, messages, configuration and type marker."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    pytest.importorskip("setuptools", minversion="77")
    source = tmp_path_factory.mktemp("source")
    for folder in ("rtreid_ros", "config", "msg"):
        shutil.copytree(ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "package.xml", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-w",
        source / "dist",
        source,
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return zipfile.ZipFile(next((source / "dist").iterdir()))


def test_the_wheel_has_the_version_of_the_manifest_and_no_platform(wheel: zipfile.ZipFile) -> None:
    version = ElementTree.parse(ROOT / "package.xml").findtext("version")
    assert Path(str(wheel.filename)).name == f"rtreid_ros-{version}-py3-none-any.whl"


def test_the_wheel_holds_every_module_model_message_and_configuration_file(wheel: zipfile.ZipFile) -> None:
    content = set(wheel.namelist())
    library = [
        path
        for path in (ROOT / "rtreid_ros").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    assert {str(path.relative_to(ROOT)) for path in library} <= content
    data = next(name for name in content if ".data/data/" in name).partition(".data/")[0] + ".data/data/"
    shared = [path for path in (ROOT / "config").rglob("*") if path.is_file()]
    shared += (ROOT / "msg").glob("*.msg")  # bags are written without ROS, too
    assert {f"{data}share/rtreid_ros/{path.relative_to(ROOT)}" for path in shared} <= content


def test_the_wheel_stays_small(wheel: zipfile.ZipFile) -> None:
    assert sum(item.file_size for item in wheel.infolist()) < 10e6
