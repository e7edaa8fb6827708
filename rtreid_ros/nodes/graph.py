"""Our nodes as a set of processes, without `launch`; no ROS needed here.

Used by ``rtreid demo``, the tests and the benchmarks::

    nodes = [
        NodeSpec("source_node", parameters={"source": "street.mp4", "lossless": True}),
        NodeSpec("tracking_node", parameters={"lossless": True, "tracker.name": "bytetrack"}),
        NodeSpec("recorder_node", parameters={"lossless": True, "output": "out"}),
    ]
    with Graph(nodes, log_dir="out/log", domain_id=42) as graph:
        graph.wait("source_node", timeout=120)    # exit code; the source ends by itself
        graph.wait("recorder_node", timeout=30)   # so do recorder and evaluator after it
    # leaving the block interrupts what still runs and waits for it

`Graph.wait` raises `GraphError`, with the end of the log, when any process dies with an error or
the time is over, so a crash is never taken for slowness.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import yaml

from rtreid_ros.errors import RtreidError
from rtreid_ros.nodes.ending import STARTED_BY
from rtreid_ros.nodes.environment import process_environment

_LAST_WORDS_S = 1.0


class GraphError(RtreidError):
    """A process of the graph died or did not end in time; the message holds the end of its log."""


@dataclass(frozen=True)
class NodeSpec:
    """One process to start.

    Attributes:
        executable: module in ``rtreid_ros.nodes``, such as ``detector_node``.
        name: node name, unique in the graph; empty = the executable's.
        namespace: ROS namespace, such as ``/front``.
        parameters: dotted names to bool, int, float, str or lists of them.
        remaps: topic name to topic name.
    """

    executable: str
    name: str = ""
    namespace: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    remaps: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """What the process is called in the graph and in logs."""
        return self.name or self.executable

    def command(self, parameter_file: Path) -> list[str]:
        """The command line; the parameters are expected in `parameter_file`."""
        command = [sys.executable, "-m", f"rtreid_ros.nodes.{self.executable}", "--ros-args"]
        command += ["--params-file", str(parameter_file)]
        if self.name:
            command += ["-r", f"__node:={self.name}"]
        if self.namespace:
            command += ["-r", f"__ns:={self.namespace}"]
        for old, new in self.remaps.items():
            command += ["-r", f"{old}:={new}"]
        return command

    def parameter_yaml(self) -> str:
        """The parameters as a ROS parameter file."""
        # ROS cannot tell the type of an empty list; nodes read [""] as one
        values = {
            key: (list(value) or [""]) if isinstance(value, (list, tuple)) else value
            for key, value in self.parameters.items()
        }
        return str(yaml.safe_dump({"/**": {"ros__parameters": values}}, sort_keys=False))


class _Process:
    """A started node: its output goes line by line to a file and, prefixed, to `echo`."""

    def __init__(
        self, spec: NodeSpec, folder: Path, environment: Mapping[str, str], echo: IO[str] | None
    ) -> None:
        self.spec = spec
        self.tail: deque[str] = deque(maxlen=40)
        self.stopping = False
        parameter_file = folder / f"{spec.label}.yaml"
        parameter_file.write_text(spec.parameter_yaml(), encoding="utf-8")
        self.popen = subprocess.Popen(
            spec.command(parameter_file),
            env={**environment, STARTED_BY: str(os.getpid())},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C reaches us alone; we then stop the nodes in good order
        )
        self._reader = threading.Thread(
            target=self._read, args=(folder / f"{spec.label}.log", echo), daemon=True
        )
        self._reader.start()

    def _read(self, path: Path, echo: IO[str] | None) -> None:
        assert self.popen.stdout is not None
        with path.open("a", encoding="utf-8") as log:
            for line in self.popen.stdout:
                self.tail.append(line)
                log.write(line)
                log.flush()
                if echo is not None:
                    echo.write(f"[{self.spec.label}] {line}")
                    echo.flush()

    def send(self, number: int) -> None:
        """Signal the process if it still runs."""
        with contextlib.suppress(ProcessLookupError):
            if self.popen.poll() is None:
                self.popen.send_signal(number)

    def join(self, timeout: float) -> int | None:
        """The exit code, or None after `timeout` seconds."""
        try:
            code = self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        self._reader.join(5)
        return code

    def report(self) -> str:
        """The end of the log, for error messages."""
        self._reader.join(0.5)
        return "".join(self.tail).rstrip() or "(it printed nothing)"


class Graph:
    """Starts nodes as processes, watches them and stops them cleanly. A context manager.

    They end also when our own process is killed, or (on Linux) the thread that has started them ends.

    Args:
        nodes: what to start on entering the context, in this order.
        log_dir: receives ``<name>.log`` and ``<name>.yaml`` (the parameters) per process.
        domain_id: ``ROS_DOMAIN_ID`` of the graph; None = the one of our environment.
        localhost: keep discovery and traffic on this machine.
        echo: where to repeat the logs, every line prefixed with ``[name]``; None = nowhere.
    """

    def __init__(
        self,
        nodes: Iterable[NodeSpec] = (),
        *,
        log_dir: str | Path,
        domain_id: int | None = None,
        localhost: bool = True,
        echo: IO[str] | None = None,
    ) -> None:
        self._specs = list(nodes)
        self._folder = Path(log_dir)
        self._environment = process_environment(domain_id=domain_id, localhost=localhost)
        self._echo = echo
        self._processes: dict[str, _Process] = {}

    def __enter__(self) -> Graph:
        try:
            for spec in self._specs:
                self.start(spec)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, spec: NodeSpec) -> None:
        """Start one more process, or one again that has ended."""
        running = self._processes.get(spec.label)
        if running is not None and running.popen.poll() is None:
            raise ValueError(f"the graph already runs a node called {spec.label!r}")
        self._folder.mkdir(parents=True, exist_ok=True)
        if running is None:  # a log of an earlier run; a restart in this run appends
            (self._folder / f"{spec.label}.log").unlink(missing_ok=True)
        self._processes[spec.label] = _Process(spec, self._folder, self._environment, self._echo)

    def pid(self, name: str) -> int:
        """Process id of a node."""
        return self._processes[name].popen.pid

    def running(self, name: str) -> bool:
        """Whether the process has not ended."""
        return self._processes[name].popen.poll() is None

    def log(self, name: str) -> str:
        """Everything the process has printed so far."""
        path = self._folder / f"{name}.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def signal(self, name: str, number: int) -> None:
        """Send a signal; after `signal.SIGKILL` and the like the death is not an error."""
        self._processes[name].stopping = True
        self._processes[name].send(number)

    def check(self) -> None:
        """Raise `GraphError` if a process has ended with an error that nobody asked for."""
        for name, process in self._processes.items():
            code = process.popen.poll()
            if code and not process.stopping:
                raise GraphError(f"{name} ended with exit code {code}:\n{process.report()}")

    def wait(self, name: str, timeout: float) -> int:
        """Wait until a process ends by itself; its exit code.

        Raises:
            GraphError: it, or another process of the graph, died with an error, or `timeout`
                seconds are over.
        """
        deadline = time.monotonic() + timeout
        process = self._processes[name]
        while (code := process.join(0.05)) is None:
            self.check()
            if time.monotonic() > deadline:
                raise GraphError(f"{name} still runs after {timeout:g} s:\n{process.report()}")
        self.check()
        return code

    def wait_for_log(self, name: str, text: str, timeout: float) -> None:
        """Wait until a process has printed `text`; raises like `wait`."""
        deadline = time.monotonic() + timeout
        while text not in self.log(name):
            self.check()
            if time.monotonic() > deadline or not self.running(name):
                report = self._processes[name].report()
                raise GraphError(f"{name} did not print {text!r} within {timeout:g} s:\n{report}")
            time.sleep(0.02)

    def stop(self, grace: float = 10.0) -> dict[str, int]:
        """Interrupt every process, kill those that ignore it for `grace` seconds; the exit codes."""
        for process in self._processes.values():
            if process.popen.poll() is None:
                process.stopping = True
                process.send(signal.SIGINT)
        deadline = time.monotonic() + grace
        codes = {}
        for name, process in self._processes.items():
            code = process.join(max(0.0, deadline - time.monotonic()))
            if code is None:
                process.send(signal.SIGUSR1)  # prints where each thread is: a hang must not stay a riddle
                process.join(_LAST_WORDS_S)
                process.send(signal.SIGKILL)
                code = process.join(5)
            codes[name] = -signal.SIGKILL if code is None else code
        return codes
