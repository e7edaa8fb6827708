"""Message packages that nodes speak and the package index does not have, made for the environment.

Where ROS 2 is installed they come from there: what is made here lies in the environment alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = {"ros": ROOT / "scripts" / "messages", "dev": ROOT / "test" / "support" / "messages"}
"""By extra of pyproject.toml; each holds a folder of .msg files for each package."""

MANIFEST = """<?xml version="1.0"?>
<package format="3">
  <name>{name}</name>
  <version>0.0.0</version>
  <description>What {name} looks like on the wire, for an environment without an installed ROS.</description>
  <maintainer email="maintainers@rtreid-ros.invalid">The rtreid_ros authors</maintainer>
  <license>MIT</license>
  <buildtool_depend>ament_cmake</buildtool_depend>
  <buildtool_depend>rosidl_default_generators</buildtool_depend>
  <depend>geometry_msgs</depend>
  <depend>std_msgs</depend>
  <exec_depend>rosidl_default_runtime</exec_depend>
  <member_of_group>rosidl_interface_packages</member_of_group>
  <export>
    <build_type>ament_cmake</build_type>
  </export>
</package>
"""

# Python with Fast DDS, which is what the environment has, needs no C++; see our own CMakeLists.txt.
CMAKE_LISTS = """cmake_minimum_required(VERSION 3.20)
project({name})
find_package(ament_cmake REQUIRED)
find_package(rosidl_default_generators REQUIRED)
find_package(geometry_msgs REQUIRED)
find_package(std_msgs REQUIRED)
list(FILTER AMENT_EXTENSIONS_rosidl_generate_idl_interfaces EXCLUDE REGEX "cpp")
file(GLOB messages RELATIVE "${{CMAKE_CURRENT_SOURCE_DIR}}" "msg/*.msg")
rosidl_generate_interfaces(${{PROJECT_NAME}} ${{messages}} DEPENDENCIES geometry_msgs std_msgs)
ament_package()
"""


@dataclass(frozen=True)
class MessagePackage:
    """A package of messages, defined by the .msg files in `folder`, whose name it has."""

    folder: Path

    @property
    def name(self) -> str:
        """Of the package."""
        return self.folder.name

    def sources(self) -> dict[str, str]:
        """Content of all files that colcon needs, by path."""
        definitions = {f"msg/{path.name}": path.read_text() for path in sorted(self.folder.glob("*.msg"))}
        return {
            "package.xml": MANIFEST.format(name=self.name),
            "CMakeLists.txt": CMAKE_LISTS.format(name=self.name),
            **definitions,
        }

    def write(self, base: Path) -> None:
        """Put the sources into a folder of `base`; what is as it should be is not touched."""
        target, sources = base / self.name, self.sources()
        (target / "msg").mkdir(parents=True, exist_ok=True)
        for path in (target / "msg").iterdir():
            if f"msg/{path.name}" not in sources:
                path.unlink()
        for name, content in sources.items():
            path = target / name
            if not path.exists() or path.read_text() != content:
                path.write_text(content)


def message_packages(extras: Iterable[str]) -> Iterator[MessagePackage]:
    """Those that `extras` of pyproject.toml ask for."""
    for extra in extras:
        if extra in FOLDERS:
            for folder in sorted(path for path in FOLDERS[extra].iterdir() if path.is_dir()):
                yield MessagePackage(folder)
