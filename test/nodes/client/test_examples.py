"""Every example runs beside a real graph and ends by itself."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.waiting import until

from rtreid_ros.nodes.environment import process_environment
from rtreid_ros.nodes.graph import NodeSpec

pytestmark = pytest.mark.usefixtures("ros")

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
TRACKED = {"test_" + path.stem for path in EXAMPLES.glob("*.py")}


class Example:
    """One of the examples as a process."""

    def __init__(self, name, arguments, domain_id):
        command = [sys.executable, "-u", str(EXAMPLES / f"{name}.py"), *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(command, env=process_environment(domain_id=domain_id), **pipes)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def interrupt(self):
        self.process.send_signal(2)

    def lines(self, timeout=60):
        """What it has printed, once it has ended; it must end well."""
        output, errors = self.process.communicate(timeout=timeout)
        assert self.process.returncode == 0, errors
        assert "Traceback" not in errors
        self.log = errors.splitlines()
        return output.splitlines()


@pytest.fixture
def street(graph, peer, domain_id):
    """Starts an example beside a tracker, then people walk through the image."""
    with ExitStack() as stack:

        def start(name, *arguments, frames=150, readers=1):
            started = graph(NodeSpec("tracking_node", parameters={"tracker.name": "bytetrack"}))
            example = stack.enter_context(Example(name, arguments, domain_id))
            until(lambda: peer.node.count_subscribers("tracks"), 60, "the example")
            scene = f"synthetic:frames={frames},people=8"
            own = {"source": scene, "wait_for_tracker": True, "wait_for_subscribers": readers}
            started.start(NodeSpec("source_node", parameters=own))
            return started, example

        yield start


def test_every_example_has_a_test():
    assert set(globals()) >= TRACKED


def test_every_example_is_short_and_says_how_to_start_it():
    for path in EXAMPLES.glob("*.py"):
        text = path.read_text()
        assert len(text.partition('"""\n\n')[2].splitlines()) <= 45, path.name
        assert f"python examples/{path.name}" in text
        assert "rtreid demo" in text
        assert "ros2 launch" in text


def test_wait_for_person(street):
    _, example = street("wait_for_person")
    (line,) = example.lines()
    assert line.startswith("person ")
    assert "pixels tall, on the" in line


def test_follow_person(street, peer):
    from geometry_msgs.msg import Twist

    commands = peer.collect(Twist, "cmd_vel", 1000)
    _, example = street("follow_person")
    lines = example.lines()
    assert lines[0].startswith("following person ")
    until(lambda: len(commands) > 10, 5, "commands")
    turns = [command.angular.z for command in commands]
    assert any(turns)
    assert max(map(abs, turns)) <= 1
    assert all(0 <= command.linear.x <= 0.5 for command in commands)
    until(lambda: commands[-1] == Twist(), 10, "the command to stand still")


def test_count_in_zone(street):
    _, example = street("count_in_zone", "0,0", "640,0", "640,480", "0,480")
    lines = example.lines()
    came = [line for line in lines if " came, " in line]
    assert len(came) >= 3
    assert lines[-1].startswith(f"{len(came)} came and ")


def test_record_when_someone_comes(street, tmp_path):
    from rtreid_ros.sources import open_source

    _, example = street("record_when_someone_comes", str(tmp_path / "visits"), readers=2)
    assert example.lines()[0].startswith("recording ")
    (bag,) = (tmp_path / "visits").iterdir()
    with open_source(str(bag)) as recorded:
        assert len(list(recorded)) > 20


def test_in_your_node(street):
    started, example = street("in_your_node")
    started.wait("source_node", 60)
    example.interrupt()
    assert example.lines() == []
    assert sum("hello, " in line for line in example.log) >= 3


def test_in_your_node_greets_late_confirmed_ids_and_ids_that_begin_anew(peer, domain_id):
    from rtreid_ros.msg import Track, TrackArray

    def tracks(stamp, **ages):
        message = TrackArray(image_height=480, image_width=640)
        message.header.stamp.sec = stamp
        for name, age in ages.items():
            place = {"x": 10.0, "y": 10.0, "width": 30.0, "height": 60.0}
            message.tracks.append(
                Track(id=int(name[2:]), state=2, class_name="person", age=float(age), **place)
            )
        return message

    with Example("in_your_node", (), domain_id) as example:
        publisher = peer.publisher(TrackArray, "tracks")
        publisher.publish(tracks(10, id5=0))
        publisher.publish(tracks(11, id5=1, id3=2))
        publisher.publish(tracks(12, id5=2, id3=3))
        publisher.publish(tracks(13, id3=0))  # reset
        publisher.publish(tracks(14, id3=1, id4=0))
        publisher.wait_for_all_acked()
        log = []
        while "hello, 4" not in (log or [""])[-1]:
            log.append(example.process.stderr.readline())
            assert log[-1], log
        example.interrupt()
        example.lines()
    assert [line.rpartition("hello, ")[2].strip() for line in log] == ["5", "3", "3", "4"]


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("wait_for_person", ("--ros-args", "-r", "x"), "cannot start ROS: "),
        ("follow_person", ("--ros-args", "-p", "x"), "cannot start ROS: "),
        ("count_in_zone", (), "a zone needs three corners"),
        ("count_in_zone", ("1,2", "a,b"), "usage: count_in_zone.py"),
        ("record_when_someone_comes", ("--ros-args",), "usage: record_when_someone_comes.py FOLDER"),
    ],
)
def test_wrong_arguments_end_an_example_with_a_line(name, arguments, says, domain_id):
    with Example(name, arguments, domain_id) as example:
        _, errors = example.process.communicate(timeout=30)
        assert example.process.returncode == 1
    assert says in errors
    assert "Traceback" not in errors
