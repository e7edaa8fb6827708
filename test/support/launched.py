"""Launch files: loaded and looked into, or run as a process."""

import importlib.util
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

_RUN = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
path, *arguments = sys.argv[1:]
pairs = [argument.split(":=", 1) for argument in arguments]
include = IncludeLaunchDescription(PythonLaunchDescriptionSource(path), launch_arguments=pairs)
service = LaunchService(noninteractive=True)
service.include_launch_description(LaunchDescription([include]))
sys.exit(service.run())
"""


def require_launch():
    for package in ("launch.actions", "launch_ros.actions"):
        pytest.importorskip(package, reason="`launch` comes with a ROS 2 installation only")


def load(name):
    """A launch file as a module."""
    require_launch()
    spec = importlib.util.spec_from_file_location(name, ROOT / "launch" / f"{name}.launch.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Described:
    """The graph that a launch file describes, its arguments set."""

    def __init__(self, name, **arguments):
        from launch import LaunchContext  # noqa: PLC0415

        from rtreid_ros.launching.arguments import Values  # noqa: PLC0415

        self.module = load(name)
        self.context = LaunchContext()
        self.context.launch_configurations.update(arguments)
        self.declared = {}
        for action in self.module.generate_launch_description().entities:
            if type(action).__name__ == "DeclareLaunchArgument":
                action.visit(self.context)
                self.declared[action.name] = action
        self.values = Values(self.context)
        self.actions = list(self.module.graph(self.context))
        self.nodes = {}
        for action in self.actions:
            if hasattr(action, "node_executable"):
                self.nodes.setdefault(action.node_executable, []).append(action)

    def node(self, executable):
        (node,) = self.nodes[executable]
        return node

    def parameters(self, executable, index=0):
        """What a node is given, files left out."""
        from launch_ros.utilities import evaluate_parameters  # noqa: PLC0415

        given = self.nodes[executable][index]._Node__parameters
        values = {}
        for item in evaluate_parameters(self.context, given):
            values.update(item if isinstance(item, dict) else {})
        return values

    def remaps(self, executable, index=0):
        """Topics by the node's name for them."""
        from launch.utilities import perform_substitutions  # noqa: PLC0415

        pairs = self.nodes[executable][index]._Node__remappings or []
        return {
            perform_substitutions(self.context, list(old)): perform_substitutions(self.context, list(new))
            for old, new in pairs
        }

    def namespaces(self, executable):
        from launch.utilities import perform_substitutions  # noqa: PLC0415

        spaces = [action._Node__node_namespace for action in self.nodes[executable]]
        return [
            space if isinstance(space, str) else perform_substitutions(self.context, space)
            for space in spaces
        ]


class Launched:
    """A launch file as a process; a context manager."""

    def __init__(self, name, log, environment, **arguments):
        command = [sys.executable, "-c", _RUN, str(ROOT / "launch" / f"{name}.launch.py")]
        command += [f"{key}:={value}" for key, value in arguments.items()]
        # where nobody has set up ROS, the environment of this Python is its installation
        environment = {"AMENT_PREFIX_PATH": sys.prefix, **environment}
        environment["ROS_LOG_DIR"] = str(log.parent / "ros")
        self._path = log
        self._file = log.open("w")
        self.process = subprocess.Popen(
            command, env=environment, stdout=self._file, stderr=subprocess.STDOUT, start_new_session=True
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.interrupt()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
        self._file.close()

    @property
    def log(self):
        return self._path.read_text()

    def pid(self, executable):
        """Process id of a node."""
        (pid,) = re.findall(rf"\[{executable}-\d+\]: process started with pid \[(\d+)\]", self.log)
        return int(pid)

    def interrupt(self):
        """As a person would with Ctrl-C, but to launch alone."""
        self.process.send_signal(signal.SIGINT)

    def wait_for_log(self, text, count=1, timeout=60):
        """Wait until a text has been printed, `count` times."""
        deadline = time.monotonic() + timeout
        while self.log.count(text) < count:
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)

    def end(self, timeout=120):
        """The exit code, once it has ended by itself."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(self.log) from None
