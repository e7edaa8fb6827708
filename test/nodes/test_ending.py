"""The end of a process: what hangs is told and ended."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from support.waiting import until

from rtreid_ros.nodes.ending import end_with_any_thread
from rtreid_ros.nodes.environment import process_environment
from rtreid_ros.nodes.graph import NodeSpec

HANGS = {
    "waiting": "import time; time.sleep(60)",
    "with_the_interpreters_lock": "import ctypes; ctypes.PyDLL(None).sleep(60)",
}


def run(code):
    """A process that runs `code` and is given much less time than it would sleep."""
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, env=process_environment(), check=False, capture_output=True, text=True, timeout=40
    )


@pytest.mark.parametrize("how", HANGS)
def test_a_process_that_hangs_tells_where_and_ends(how):
    done = run(f"from rtreid_ros.nodes.ending import must_end_within\nmust_end_within(0.5)\n{HANGS[how]}")
    assert done.returncode == 1
    assert "Timeout" in done.stderr
    assert 'File "<string>", line 3' in done.stderr


def test_a_library_that_hangs_at_the_exit_does_not_keep_the_process():
    code = (
        "import atexit, time\n"
        "from rtreid_ros.nodes.ending import leave\n"
        "atexit.register(time.sleep, 60)\n"
        "print('said before')\n"
        "leave(3)\n"
    )
    done = run(code)
    assert (done.returncode, done.stdout) == (3, "said before\n")


def test_a_node_tells_what_it_is_doing_when_asked(graph):
    started = graph(NodeSpec("tracker_node"))
    started.wait_for_log("tracker_node", "ready", 30)

    def spins():
        os.kill(started.pid("tracker_node"), signal.SIGUSR1)
        return "in spin_once" in started.log("tracker_node")

    until(spins, 20, "the line in which it waits")
    assert started.running("tracker_node")
    assert started.stop() == {"tracker_node": 0}


@pytest.mark.clock
def test_an_observer_that_is_frozen_does_not_keep_a_source_from_ending(graph, tmp_path):
    source = {"source": "synthetic:frames=60,people=2", "wait_for_subscribers": 0, "wait_for_observers": 1}
    started = graph(
        NodeSpec("evaluator_node", parameters={"output": str(tmp_path / "metrics.json")}),
        NodeSpec("source_node", parameters=source),
    )
    started.wait_for_log("source_node", "ready", 30)
    started.wait_for_log("evaluator_node", "ready", 30)
    started.signal("evaluator_node", signal.SIGSTOP)
    try:
        started.wait_for_log("source_node", "finished: 60 frames", 30)
        begin = time.monotonic()
        started.signal("source_node", signal.SIGINT)
        until(lambda: not started.running("source_node"), 15, "the end of the source")
        assert time.monotonic() - begin < 4  # seconds before it would have given up by itself
    finally:
        started.signal("evaluator_node", signal.SIGCONT)


def test_a_node_that_has_lost_a_thread_ends(monkeypatch):
    said = []

    class Node:
        exit_code, ended = 0, False

        def get_logger(self):
            return self

        def error(self, text):
            said.append(text)

        def finish(self):
            self.ended = True

    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    node = Node()
    end_with_any_thread(node)
    thread = threading.Thread(target=lambda: 1 / 0, name="worker")
    thread.start()
    thread.join()
    assert (node.ended, node.exit_code) == (True, 1)
    assert said[0].startswith("thread worker died")
    assert "ZeroDivisionError" in said[0]


def test_nodes_do_not_outlive_who_started_them(ros, domain_id, tmp_path):
    code = (
        "import os, time\n"
        "from rtreid_ros.nodes.graph import Graph, NodeSpec\n"
        f"graph = Graph([NodeSpec('tracker_node')], log_dir={str(tmp_path)!r}, domain_id={domain_id})\n"
        "graph.__enter__()\n"
        "graph.wait_for_log('tracker_node', 'ready', 60)\n"
        "print(graph.pid('tracker_node'), flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], env=process_environment(), stdout=subprocess.PIPE, text=True
    ) as starter:
        node = int(starter.stdout.readline())
        assert is_running(node)
        starter.kill()
    until(lambda: not is_running(node), 20, "the end of the node")


def is_running(pid):
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
