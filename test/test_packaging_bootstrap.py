"""The set-up script says what is missing, notices what changed and repairs what wheels bring."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def bootstrap(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return importlib.import_module("bootstrap")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("CMakeLists.txt", "package.xml", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    for folder in ("msg", "scripts", "config", "launch"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "rtreid_ros").mkdir()
    (tmp_path / "rtreid_ros" / "boxes.py").write_text("")
    return tmp_path


def test_nothing_is_missing_where_the_package_was_built(bootstrap: ModuleType) -> None:
    assert bootstrap.missing_prerequisites() == []


def test_missing_tools_are_named_as_apt_packages(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    assert bootstrap.missing_prerequisites() == [f"{version}-venv", "g++", "make", f"{version}-dev"]


def test_the_script_ends_with_the_command_to_install_what_is_missing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "bootstrap.py", "--venv", tmp_path / "venv"],
        check=False,
        env={"PATH": str(tmp_path), "CXX": "no-such-compiler"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "sudo apt install g++ make" in done.stderr
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize(
    ("path", "rebuilds"),
    [
        ("msg/Track.msg", True),
        ("CMakeLists.txt", True),
        ("pyproject.toml", True),
        ("rtreid_ros/new_module.py", True),
        ("config/new.yaml", True),
        ("rtreid_ros/boxes.py", False),  # linked: the build need not know
        ("README.md", False),
    ],
)
def test_a_change_rebuilds_only_where_the_build_would_differ(
    bootstrap: ModuleType, checkout: Path, path: str, rebuilds: bool
) -> None:
    before = list(bootstrap.build_inputs(checkout))
    with (checkout / path).open("a") as file:
        file.write("# changed\n")
    assert (list(bootstrap.build_inputs(checkout)) != before) is rebuilds


def test_foreign_include_folders_become_those_of_this_python(bootstrap: ModuleType, tmp_path: Path) -> None:
    environment = bootstrap.Environment(tmp_path)
    environment.python = Path(sys.executable)
    exported = tmp_path / "share" / "std_msgs" / "cmake" / "export.cmake"
    exported.parent.mkdir(parents=True)
    line = 'INTERFACE_INCLUDE_DIRECTORIES "{};{}"\n'
    exported.write_text(
        line.format("/opt/a/include/python3.11", "/opt/a/lib/python3.11/site-packages/numpy/_core/include")
        + '  INTERFACE_LINK_LIBRARIES "${_IMPORT_PREFIX}/lib/libx.so"\n'
    )
    bootstrap.localise_cmake_files(environment)
    first, second = exported.read_text().splitlines()
    for folder, header in zip(
        first.split('"')[1].split(";"), ("Python.h", "numpy/arrayobject.h"), strict=True
    ):
        assert (Path(folder) / header).is_file()
    assert second == '  INTERFACE_LINK_LIBRARIES "${_IMPORT_PREFIX}/lib/libx.so"'


def test_what_an_interrupted_build_has_left_does_not_hinder_the_next(
    bootstrap: ModuleType, tmp_path: Path
) -> None:
    environment = bootstrap.Environment(tmp_path)
    environment.python = Path(sys.executable)
    exported = tmp_path / "share" / "rtreid_ros" / "cmake" / "extras.cmake"
    exported.parent.mkdir(parents=True)
    exported.symlink_to(tmp_path / "build" / "gone.cmake")
    bootstrap.localise_cmake_files(environment)


def test_a_failing_command_is_reported_with_its_output(bootstrap: ModuleType, tmp_path: Path) -> None:
    environment = bootstrap.Environment(tmp_path)
    with pytest.raises(bootstrap.SetupError, match="no disk left"):
        environment.run(sys.executable, "-c", "print('no disk left'); raise SystemExit(3)")
    assert "no disk left" in environment.log.read_text()


def test_a_sourced_ros_installation_is_kept_out_of_the_build(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/opt/ros/jazzy/lib/python3.12/site-packages")
    monkeypatch.setenv("AMENT_PREFIX_PATH", "/opt/ros/jazzy")
    variables = bootstrap.Environment(tmp_path).variables()
    assert "PYTHONPATH" not in variables
    assert variables["AMENT_PREFIX_PATH"] == str(tmp_path)
    assert variables["PATH"].split(os.pathsep)[0] == str(tmp_path / "bin")


def test_an_environment_made_elsewhere_is_made_anew(bootstrap: ModuleType, tmp_path: Path) -> None:
    environment = bootstrap.Environment(tmp_path / "venv")
    environment.prefix.mkdir()
    (environment.prefix / "pyvenv.cfg").write_text("home = /nowhere\n")
    (environment.prefix / "setup.json").write_text(json.dumps({"origin": "elsewhere", "built": {"x": "y"}}))
    environment.ensure()
    prefix = [environment.python, "-c", "import sys; print(sys.prefix)"]
    done = subprocess.run(prefix, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == str(environment.prefix)
    assert "built" not in environment.read_stamp()


def test_what_the_sources_no_longer_have_is_removed(bootstrap: ModuleType, tmp_path: Path) -> None:
    environment = bootstrap.Environment(tmp_path)
    package = environment.site / "rtreid_ros"
    package.mkdir(parents=True)
    (package / "gone.py").symlink_to(tmp_path / "deleted.py")
    (package / "kept.py").symlink_to(ROOT / "setup.py")
    nodes = tmp_path / "lib" / "rtreid_ros"
    nodes.mkdir(parents=True)
    for name in ("detector_node", "renamed_node"):
        (nodes / name).write_text("")
    bootstrap.remove_stale(environment)
    assert [path.name for path in package.iterdir()] == ["kept.py"]
    assert [path.name for path in nodes.iterdir()] == ["detector_node"]


def test_the_headless_opencv_is_the_one_that_loads() -> None:
    import cv2  # noqa: PLC0415

    gui = next(line for line in cv2.getBuildInformation().splitlines() if line.strip().startswith("GUI:"))
    assert "NONE" in gui
