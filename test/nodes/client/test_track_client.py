"""The client over real DDS, with tracks published by hand."""

import threading
import time

import pytest
from support.waiting import until

pytestmark = pytest.mark.usefixtures("ros")

ZONE_CORNERS = [(0, 0), (100, 0), (100, 100), (0, 100)]


class Street:
    """Publishes tracks, 100 ms of stamp apart."""

    def __init__(self, peer, topic="tracks", subscribers=1, qos=10):
        from rtreid_ros.msg import TrackArray

        self.publisher = peer.publisher(TrackArray, topic, qos, subscribers)
        self.stamp_ns = self.begin_ns = 10**12
        self.ended = threading.Event()
        self.threads = []

    def show(self, *people, step=0.1, **fields):
        """Publish one image with these people: dicts of fields of a Track, at (x, y) = feet."""
        from rtreid_ros.msg import Track, TrackArray

        self.stamp_ns += round(step * 10**9)
        message = TrackArray(image_width=200, image_height=100, **fields)
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(self.stamp_ns, 10**9)
        for person in people:
            x, y = person.pop("feet", (50, 50))
            row = {"state": Track.STATE_CONFIRMED, "class_name": "person", "width": 20.0, "height": 40.0}
            row["age"] = (self.stamp_ns - self.begin_ns) * 1e-9
            message.tracks.append(Track(**{**row, "x": x - 10.0, "y": y - 40.0, **person}))
        self.publisher.publish(message)

    def keep_showing(self, *people, times=200, pause=0.02, **fields):
        """The same in a thread of its own, so that the test can wait meanwhile."""
        self.play([people] * times, pause=pause, **fields)

    def play(self, images, pause=0.02, delay=0.0, **fields):
        """Publish image after image in a thread of its own."""

        def run():
            self.ended.wait(delay)
            for people in images:
                if self.ended.is_set():
                    return
                self.show(*[dict(person) for person in people], **fields)
                time.sleep(pause)

        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()

    def end(self):
        self.ended.set()
        for thread in self.threads:
            thread.join()


@pytest.fixture
def tracks(ros, domain_id):
    from rtreid_ros.client import TrackClient

    with TrackClient(domain_id=domain_id) as client:
        yield client


@pytest.fixture
def new_street(peer):
    """Makes streets, which end with the test."""
    made = []

    def make(*arguments, **options):
        made.append(Street(peer, *arguments, **options))
        return made[-1]

    yield make
    for street in made:
        street.end()


@pytest.fixture
def street(tracks, new_street):
    return new_street()


def test_the_newest_tracks_are_known_without_waiting(tracks, street):
    assert tracks.latest is None
    assert tracks.people == ()
    assert tracks.nearest() is None
    street.show({"id": 1}, {"id": 2, "height": 60.0, "feet": (150, 90)}, {"id": 3, "state": 3})
    frame = until(lambda: tracks.latest, 5, "tracks")
    assert [person.id for person in frame.tracks] == [1, 2, 3]
    assert [person.id for person in tracks.people] == [1, 2]
    assert tracks.nearest().id == 2
    assert frame.tracks[0].box == (40, 10, 60, 50)
    assert frame.tracks[0].offset == -0.5
    assert frame.stamp_ns == street.stamp_ns
    assert tracks.silent_for < 5


def test_it_waits_for_a_person_and_takes_the_nearest(tracks, street):
    street.show({"id": 9})  # who was there before may be gone
    until(lambda: tracks.latest, 5, "tracks")
    hardly = [{"id": 3, "state": 1}]
    street.play([hardly] * 10 + [[{"id": 1}, {"id": 2, "height": 70.0}]] * 100)
    assert tracks.wait_for_person(timeout=10).id == 2


def test_it_waits_for_a_person_in_a_zone(tracks, street):
    from rtreid_ros.client import NoTracksError, Zone

    zone = Zone(ZONE_CORNERS)
    street.keep_showing({"id": 1, "feet": (150, 50)}, times=10)
    with pytest.raises(NoTracksError, match=r"nobody came in the zone within 0\.5 s: \d+ images on /tracks"):
        tracks.wait_for_person(timeout=0.5, zone=zone)
    street.keep_showing({"id": 1, "feet": (150, 50)}, {"id": 2, "feet": (50, 50)})
    assert tracks.wait_for_person(timeout=10, zone=zone).id == 2


def test_a_person_is_followed_until_it_is_lost(tracks, street):
    street.play([[{"id": 7, "feet": (x, 50)}] for x in range(10)] + [[]] * 60, pause=0.03, delay=0.3)
    places = [person.feet[0] for person in tracks.follow(7, lost_for=1.0)]
    assert places == sorted(places)
    assert len(places) >= 5
    assert places[-1] == 9


def test_a_slow_program_gets_the_newest_tracks(tracks, street):
    street.keep_showing({"id": 1}, times=200, pause=0.01)
    seen = 0
    for person in tracks.follow(1):
        seen += 1
        time.sleep(0.2)
        if person.age > 15:  # a hundred images and more
            break
    assert person.age > 15
    assert seen < 40


def test_frames_come_in_order_and_none_is_missing(tracks, street):
    frames = tracks.frames(timeout=5)
    street.play([[]] * 30, pause=0.01, delay=0.2)
    stamps = [next(frames).stamp_ns for _ in range(30)]
    assert stamps == list(range(stamps[0], stamps[0] + 30 * 10**8, 10**8))


def test_late_frames_are_left_out(tracks, street):
    stamps = []
    tracks.on_frame(lambda frame: stamps.append(frame.stamp_ns))
    street.show()
    street.show(step=-0.5)
    street.show(step=0.7)
    until(lambda: len(stamps) == 2, 5, "two frames")
    assert stamps[1] - stamps[0] == 2 * 10**8


def test_zones_count_and_call(tracks, street):
    from rtreid_ros.client import Zone

    zone, events = Zone(ZONE_CORNERS), []
    tracks.on_enter(zone, lambda person: events.append(("in", person.id)))
    watch = tracks.on_exit(zone, lambda person: events.append(("out", person.id)))
    assert tracks.watch(Zone(ZONE_CORNERS)) is watch
    assert tracks.count_in(zone) == 0
    street.show({"id": 1}, {"id": 2, "feet": (150, 50)})
    until(lambda: events, 5, "somebody in the zone")
    assert tracks.count_in(zone) == watch.count == 1
    street.show({"id": 1}, {"id": 2, "feet": (50, 50)})
    street.show({"id": 1, "feet": (150, 50)}, {"id": 2, "feet": (50, 50)})
    until(lambda: len(events) == 3, 5, "three events")
    assert events == [("in", 1), ("in", 2), ("out", 1)]


def test_lines_count_and_call(tracks, street):
    from rtreid_ros.client import Line

    events = []
    watch = tracks.on_cross(Line((100, 100), (100, 0)), lambda person, right: events.append(right))
    for x in (80, 120, 80):
        street.show({"id": 1, "feet": (x, 50)})
    until(lambda: len(events) == 2, 5, "two crossings")
    assert events == [True, False]
    assert (watch.to_right, watch.to_left) == (1, 1)


def test_a_source_that_starts_anew_empties_zones_and_ends_following(tracks, street):
    from rtreid_ros.client import Zone

    watch = tracks.watch(Zone(ZONE_CORNERS))
    followed = []
    thread = threading.Thread(target=lambda: followed.extend(tracks.follow(1)), daemon=True)
    thread.start()
    for _ in range(5):
        street.show({"id": 1})
        time.sleep(0.05)
    street.show({"id": 1}, step=-100)
    thread.join(5)
    assert not thread.is_alive()
    assert followed
    until(lambda: watch.entered == 2, 5, "the second time")
    assert (watch.left, watch.count) == (1, 1)


def test_a_callback_that_fails_is_logged_and_things_go_on(tracks, street, capfd):
    frames = []

    def broken(_):
        raise KeyError("my own mistake")

    tracks.on_frame(broken)
    tracks.on_frame(frames.append)
    for _ in range(3):
        street.show()
    until(lambda: len(frames) == 3, 5, "three frames")
    error = capfd.readouterr().err
    assert "KeyError: 'my own mistake'" in error
    assert "broken" in error


def test_a_callback_cannot_wait(tracks, street):
    errors = []

    def wait(_):
        try:
            tracks.wait_for_person(timeout=1)
        except RuntimeError as error:
            errors.append(str(error))

    tracks.on_frame(wait)
    street.show()
    until(lambda: errors, 5, "the error")
    assert "callback of a TrackClient must not wait" in errors[0]


def test_classes_are_chosen_and_rows_that_are_no_tracks_are_left_out(domain_id, new_street):
    from rtreid_ros.client import TrackClient

    with TrackClient("/front/tracks", classes=["person"], domain_id=domain_id) as tracks:
        assert tracks.topic == "/front/tracks"
        bad = [{"id": 2, "width": 0.0}, {"id": 3, "x": float("nan")}, {"id": 4, "state": 77}]
        new_street("/front/tracks").show({"id": 1}, {"id": 5, "class_name": "dog"}, *bad)
        until(lambda: tracks.latest, 5, "tracks")
        assert [person.id for person in tracks.latest.tracks] == [1]


def test_positions_and_global_ids_come_along(tracks, street):
    from geometry_msgs.msg import Point

    placed = {"has_position": True, "position": Point(x=1.0, y=2.0, z=2.0)}
    nowhere = {"has_position": True, "position": Point(x=float("nan"))}
    street.show({"id": 1, "global_id": 40, **placed}, {"id": 2, **nowhere}, position_frame="map")
    frame = until(lambda: tracks.latest, 5, "tracks")
    assert frame.position_frame == "map"
    assert frame.find(global_id=40).distance == 3
    assert frame.tracks[1].position is None


def test_silence_is_explained_when_nobody_publishes(tracks):
    from rtreid_ros.client import NoTracksError

    with pytest.raises(NoTracksError, match=r"no tracks for 1 s: no data on /tracks: nobody publishes it"):
        next(tracks.frames(timeout=1))
    with pytest.raises(TimeoutError, match="nobody publishes it"):
        tracks.wait_for_person(timeout=0.5)


def test_silence_is_explained_when_the_publisher_has_gone(tracks, street, peer):
    from rtreid_ros.client import NoTracksError

    frames = tracks.frames(timeout=1)
    street.keep_showing(times=3)
    next(frames)
    time.sleep(0.3)
    peer.node.destroy_publisher(street.publisher)
    with pytest.raises(NoTracksError, match="nobody publishes it any more"):
        list(frames)


def test_silence_is_explained_when_the_qos_does_not_fit(domain_id, peer, new_street):
    from rclpy.qos import QoSProfile, ReliabilityPolicy
    from rtreid_ros.msg import TrackArray

    from rtreid_ros.client import NoTracksError, TrackClient

    with TrackClient(domain_id=domain_id) as tracks:
        best_effort = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
        peer.node.create_publisher(TrackArray, "tracks", best_effort)
        until(lambda: tracks.node.count_publishers("tracks"), 10, "the publisher")
        with pytest.raises(NoTracksError, match=r"incompatible QoS.*/peer \(best_effort, volatile\)"):
            tracks.wait_for_person(timeout=1)
    with TrackClient(domain_id=domain_id, qos_profile=best_effort) as tracks:
        new_street(qos=best_effort).keep_showing({"id": 1})
        assert tracks.wait_for_person(timeout=10).id == 1


def test_the_command_line_renames_topics(domain_id):
    from rtreid_ros.client import TrackClient

    with TrackClient(
        args=["prog", "--ros-args", "-r", "tracks:=/rear/tracks"], domain_id=domain_id
    ) as tracks:
        assert tracks.topic == "/rear/tracks"


def test_closing_ends_whoever_waits(domain_id):
    from rtreid_ros.client import NoTracksError, TrackClient

    client = TrackClient(domain_id=domain_id)
    ends = []

    def wait():
        with pytest.raises(NoTracksError, match="closed"):
            client.wait_for_person()
        ends.append("person")

    threads = [
        threading.Thread(target=wait),
        threading.Thread(target=lambda: ends.append(list(client.frames(timeout=60)))),
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    client.close()
    client.close()
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()
    assert sorted(map(str, ends)) == ["[]", "person"]


def test_no_thread_and_no_file_is_left_behind(domain_id):
    from pathlib import Path

    from rtreid_ros.client import TrackClient

    def used():
        return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))

    for _ in range(2):  # the middleware's own warming up
        TrackClient(domain_id=domain_id).close()
    before = used()
    for _ in range(5):
        TrackClient(domain_id=domain_id).close()
    assert used() == before


def test_in_a_node_of_ones_own_it_only_calls_back(peer, new_street):
    from rtreid_ros.client import TrackClient

    frames = []
    client = TrackClient(node=peer.node)
    client.on_frame(frames.append)
    with pytest.raises(RuntimeError, match="only calls back"):
        client.wait_for_person(timeout=1)
    with pytest.raises(RuntimeError, match="only calls back"):
        client.follow(1)
    with pytest.raises(RuntimeError, match="only calls back"):
        client.reset()
    new_street().show({"id": 1})
    until(lambda: frames, 5, "tracks")
    assert [person.id for person in client.people] == [1]
    client.close()
    assert peer.node.executor is not None  # the node lives on
    assert not any(True for sub in peer.node.subscriptions if sub.topic_name == "/tracks")


def test_whom_to_follow_must_be_said(tracks):
    with pytest.raises(TypeError, match="either id or global_id"):
        tracks.follow()
    with pytest.raises(TypeError, match="either id or global_id"):
        tracks.follow(1, global_id=2)


def test_reset_asks_the_publisher(graph, domain_id):
    from rtreid_ros.client import ServiceError, TrackClient
    from rtreid_ros.nodes.graph import NodeSpec

    with TrackClient(domain_id=domain_id) as tracks:
        with pytest.raises(ServiceError, match="nobody publishes /tracks"):
            tracks.reset(timeout=0.3)
        started = graph(NodeSpec("tracker_node", parameters={"tracker.name": "sort"}))
        started.wait_for_log("tracker_node", "ready", 30)
        until(lambda: tracks.node.count_publishers("tracks"), 10, "the tracker")
        tracks.reset(timeout=10)
        started.wait_for_log("tracker_node", "reset", 5)


def test_a_reset_nobody_answers_is_an_error(tracks, street):
    from rtreid_ros.client import ServiceError

    with pytest.raises(ServiceError, match="/peer/reset is not there"):
        tracks.reset(timeout=2)
