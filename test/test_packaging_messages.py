"""Message packages that the package index lacks are made for the environment, and for nothing else."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

ROOT = Path(__file__).resolve().parents[1]
PREFIX = Path(sys.prefix)
built = pytest.mark.skipif(
    not (PREFIX / "share" / "rtreid_ros" / "package.xml").exists(),
    reason="the package is not built into this environment",
)
# REP 2016 type hashes of the packages' own definitions: equal only if all fields are, down to the bottom
TYPES = {
    "tf2_msgs/msg/TFMessage": get_typestore(Stores.ROS2_JAZZY).hash_rihs01("tf2_msgs/msg/TFMessage"),
    "vision_msgs/msg/Detection2DArray": "RIHS01_"
    "214274120007f4a683866481336b70310268cfa107aebe9d594a6acf75bda968",
}


@pytest.fixture
def bootstrap(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return importlib.import_module("bootstrap")


@pytest.fixture
def environment(bootstrap: ModuleType, tmp_path: Path) -> Any:
    """An environment that notes which packages colcon was to build, and makes what it leaves behind."""

    class Noting(bootstrap.Environment):
        def run(self, *command: object, **_: object) -> None:
            words = [str(word) for word in command]
            first = words.index("--packages-select") + 1
            self.asked = words[first : words.index("--build-base")]
            for name in self.asked:
                (self.site / name / "msg").mkdir(parents=True, exist_ok=True)
                (self.site / name / "msg" / "__init__.py").touch()

    made = Noting(tmp_path)
    made.python = Path(sys.executable)
    made.asked = []
    return made


@pytest.mark.parametrize("name", TYPES)
def test_our_definitions_are_on_the_wire_what_those_of_the_packages_are(
    bootstrap: ModuleType, name: str
) -> None:
    definitions: dict[str, Any] = {}
    for package in bootstrap.message_packages(["ros", "dev"]):
        for path, text in package.sources().items():
            if path.startswith("msg/"):
                definitions |= get_types_from_msg(text, f"{package.name}/msg/{Path(path).stem}")
    store = get_typestore(Stores.EMPTY)
    standard = get_typestore(Stores.ROS2_JAZZY).fielddefs
    store.register({key: fields for key, fields in standard.items() if not key.startswith("tf2_msgs/")})
    store.register(definitions)
    assert store.hash_rihs01(name) == TYPES[name]


@built
@pytest.mark.parametrize("name", TYPES)
def test_this_environment_has_them(name: str) -> None:
    package, _, message = name.partition("/msg/")
    assert hasattr(importlib.import_module(f"{package}.msg"), message)
    description = PREFIX / "share" / package / "msg" / f"{message}.json"
    (told,) = [
        item["hash_string"]
        for item in json.loads(description.read_text())["type_hashes"]
        if item["type_name"] == name
    ]
    assert told == TYPES[name]


def test_each_extra_brings_its_own(bootstrap: ModuleType) -> None:
    def names(*extras: str) -> list[str]:
        return [package.name for package in bootstrap.message_packages(extras)]

    assert names("ros", "eval") == ["tf2_msgs"]
    assert names("ros", "dev") == ["tf2_msgs", "vision_msgs"]


def test_only_what_has_changed_is_built(
    bootstrap: ModuleType, environment: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    definition = tmp_path / "definitions" / "tf2_msgs" / "TFMessage.msg"
    definition.parent.mkdir(parents=True)
    definition.write_text("geometry_msgs/TransformStamped[] transforms\n")
    folders = importlib.import_module("message_packages").FOLDERS
    monkeypatch.setitem(folders, "ros", tmp_path / "definitions")

    def asked(*extras: str) -> list[str]:
        environment.asked = []
        bootstrap.build(environment, extras)
        asked: list[str] = environment.asked
        return asked

    assert asked("ros") == ["tf2_msgs", "rtreid_ros"]
    made = environment.message_sources / "tf2_msgs"
    assert (made / "msg" / "TFMessage.msg").read_text() == definition.read_text()
    assert asked("ros") == []
    assert asked("ros", "dev") == ["vision_msgs"]
    definition.write_text("geometry_msgs/TransformStamped[] transforms\nstring why\n")
    assert asked("ros", "dev") == ["tf2_msgs"]
    assert "why" in (made / "msg" / "TFMessage.msg").read_text()
    assert asked("ros", "dev") == []
    manifest, other = made / "package.xml", definition.with_name("Other.msg")
    written = manifest.stat().st_mtime_ns
    definition.rename(other)
    assert asked("ros") == ["tf2_msgs"]
    assert [path.name for path in (made / "msg").iterdir()] == ["Other.msg"]
    assert manifest.stat().st_mtime_ns == written  # CMake need not begin anew


def test_what_a_distribution_has_brought_is_left_alone(bootstrap: ModuleType, environment: Any) -> None:
    def names() -> list[str]:
        return [package.name for package in bootstrap.missing_messages(environment, ["ros", "dev"])]

    brought = environment.prefix / "share" / "tf2_msgs" / "package.xml"
    brought.parent.mkdir(parents=True)
    brought.write_text("<package/>")
    assert names() == ["vision_msgs"]
    brought.unlink()
    made = environment.message_sources / "tf2_msgs" / "package.xml"
    made.parent.mkdir(parents=True)
    made.write_text("<package/>")
    brought.symlink_to(made)  # as colcon does with ours
    assert names() == ["tf2_msgs", "vision_msgs"]


def test_a_workspace_finds_one_package_in_a_checkout() -> None:
    pytest.importorskip("colcon_core")
    colcon = [sys.executable, "-m", "colcon", "--log-base", os.devnull]
    found = subprocess.run(
        [*colcon, "list", "--names-only", "--base-paths", ROOT],
        check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert found.stdout.split() == ["rtreid_ros"]
