"""``rtreid eval-bag``: a bag through the very node, judged."""

import json
import shutil
import sys

import numpy as np
import pytest
from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import StoragePlugin, Writer
from support.models import brittle_detector

from rtreid_ros.bags import messages
from rtreid_ros.bags.definitions import message_types
from rtreid_ros.bags.reader import BagReader
from rtreid_ros.bags.writing import Recording, WritingOptions, write_bag
from rtreid_ros.evaluation.mot_text import read_mot, write_mot
from rtreid_ros.nodes.environment import config_file
from rtreid_ros.sinks.bag_output import BagOutput
from rtreid_ros.sources import open_source

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed here")
pytest.importorskip("rtreid_ros.msg", reason="our messages are not built: make build")
pytest.importorskip("trackeval")

FRAMES = 24
"""More than a second, so that a step back to the first is no late frame."""
SCENE = f"synthetic:frames={FRAMES},people=6,seed=5,frame_rate=20"


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    path = tmp_path_factory.mktemp("bags") / "scene"
    with open_source(SCENE) as scene:
        write_bag(path, [Recording("", scene)], WritingOptions(start_ns=10**18))
    return path


@pytest.fixture
def evaluated(rtreid, tmp_path):
    """Evaluates a bag; the folder with the results."""

    def run(bag, *words, name="out"):
        code, _, err = rtreid("eval-bag", bag, *words, "--output", tmp_path / name, "--quiet")
        assert code == 0, err
        return tmp_path / name

    return run


def metrics(folder):
    return json.loads((folder / "metrics.json").read_text())


def tracks_in(bag):
    """Topic, time of record and content of every message."""
    types = message_types()
    with AnyReader([bag], default_typestore=types) as reader:
        return [
            (connection.topic, received, reader.deserialize(data, connection.msgtype))
            for connection, received, data in reader.messages()
        ]


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_the_same_bag_gives_the_same_bytes(evaluated, bag, storage):
    first, second = (evaluated(bag, "--bag-storage", storage, name=name) for name in "ab")
    names = sorted(str(path.relative_to(first)) for path in first.rglob("*") if path.is_file())
    suffix = {"mcap": "mcap", "sqlite3": "db3"}[storage]
    written = {
        f"bag/bag.{suffix}",
        "bag/metadata.yaml",
        "latency.json",
        "metrics.json",
        "trace.json",
        "tracks.txt",
    }
    assert set(names) == written
    for name in written - {"latency.json", "trace.json"}:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
    assert read_mot(first / "tracks.txt").last_frame == FRAMES


def test_tracks_are_those_of_rtreid_track(rtreid, evaluated, bag, tmp_path):
    code, _, err = rtreid("track", bag, "--no-video", "--quiet", "--output", tmp_path / "track")
    assert code == 0, err
    expected = (tmp_path / "track" / "tracks.txt").read_bytes()
    assert expected.count(b"\n") > 2 * FRAMES
    assert (evaluated(bag) / "tracks.txt").read_bytes() == expected


def test_the_bag_written_holds_the_tracks_at_the_stamps_of_the_images(evaluated, bag):
    folder = evaluated(bag)
    written = tracks_in(folder / "bag")
    assert [received for _, received, _ in written] == [10**18 + 50_000_000 * i for i in range(FRAMES)]
    table = read_mot(folder / "tracks.txt")
    for number, (topic, received, message) in enumerate(written, start=1):
        assert topic == "/tracks"
        assert message.header.stamp.sec * 10**9 + message.header.stamp.nanosec == received
        confirmed = [track.id for track in message.tracks if track.state == track.STATE_CONFIRMED]
        assert confirmed == table.ids[table.frames == number].tolist()
        assert message.detection_ms == message.tracking_ms == 0  # how long it took is in latency.json


def test_figures_and_times_are_printed_and_written(rtreid, bag, tmp_path):
    code, out, err = rtreid("eval-bag", bag, "--output", tmp_path / "out")
    assert code == 0, err
    assert "scene: 100%" in err
    assert f"camera: {FRAMES} images, {FRAMES} tracked\n" in out
    assert "detector  " in out
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line}
    found = metrics(tmp_path / "out")
    assert rows["camera"][0] != ""
    scores = found["cameras"]["camera"]["scores"]
    assert scores == found["combined"]
    assert f"{100 * scores['hota']:.2f}" in out
    latency = json.loads((tmp_path / "out" / "latency.json").read_text())["camera"]
    assert latency["images"] == FRAMES
    for stage in ("detection_ms", "tracking_ms", "node_ms"):
        assert latency[stage]["p99"] >= latency[stage]["p50"] > 0
        assert f"{latency[stage]['p50']:.2f}" in " ".join(rows[stage.removesuffix("_ms")])
    events = json.loads((tmp_path / "out" / "trace.json").read_text())
    assert sum(event.get("name") == "detect" for event in events) == FRAMES
    for name in ("tracks.txt", "bag/", "metrics.json", "latency.json", "trace.json"):
        assert str(tmp_path / "out" / name) in out


def test_results_go_to_a_folder_named_after_the_bag(rtreid, bag, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert rtreid("eval-bag", bag, "--quiet") == (0, "", "")
    assert (tmp_path / "out" / "eval-bag" / "scene" / "metrics.json").is_file()


# ---------------------------------------------------------------------------------- judging


@pytest.fixture
def sequence(rtreid, bag, tmp_path):
    """The same as a MOTChallenge folder."""
    assert rtreid("bag", "to-mot", bag, tmp_path / "scene", "--quiet")[0] == 0
    return tmp_path / "scene"


def test_files_judge_as_rtreid_eval_does_and_as_the_bags_own_truth(
    rtreid, evaluated, bag, sequence, tmp_path
):
    folder = evaluated(bag, "--gt", sequence)
    code, _, err = rtreid("eval", folder, "--gt", sequence, "--json", tmp_path / "eval.json")
    assert code == 0, err
    expected = json.loads((tmp_path / "eval.json").read_text())["combined"]
    found = metrics(folder)["combined"]
    assert found == expected
    assert found["idf1"] > 0.5
    own = metrics(evaluated(bag, name="own"))["combined"]
    assert own == pytest.approx(found, abs=1e-6)


def test_rules_can_be_chosen(evaluated, bag, sequence):
    lines = [line.split(",") for line in (sequence / "gt" / "gt.txt").read_text().splitlines()]
    for words in lines:
        words[7] = "7" if words[1] == "1" else "1"  # the first person is static: not judged since MOT16
    (sequence / "gt" / "gt.txt").write_text("".join(",".join(words) + "\n" for words in lines))
    counts = {
        rules: metrics(evaluated(bag, "--gt", sequence, "--rules", rules, name=rules))["combined"][
            "truth_ids"
        ]
        for rules in ("auto", "MOT17", "plain")
    }
    assert counts["auto"] == counts["MOT17"] == counts["plain"] - 1


def test_of_a_bag_with_gaps_frames_follow_from_stamps(evaluated, bag, sequence, tmp_path):
    with BagReader(bag) as reader, BagOutput(tmp_path / "gaps") as output:
        topics = [name for name in reader.topics if name.startswith("/image")]
        for number, message in enumerate(reader.messages(topics)):
            if number not in (3, 4, 5, 12):
                output.write_cdr(message.topic, message.kind, message.received_ns, message.cdr)
    by_number = metrics(evaluated(tmp_path / "gaps", "--gt", sequence, name="number"))
    by_stamp = metrics(evaluated(tmp_path / "gaps", "--gt", sequence, "--match", "stamp", name="stamp"))
    assert by_stamp["cameras"]["camera"]["judged"] == FRAMES - 4
    assert by_stamp["combined"]["motp"] > by_number["combined"]["motp"]
    assert by_stamp["combined"]["hota"] > by_number["combined"]["hota"]
    truth = read_mot(sequence / "gt" / "gt.txt")
    kept = [number for number in range(1, FRAMES + 1) if number - 1 not in (3, 4, 5, 12)]
    write_mot(tmp_path / "cut.txt", truth.cut(kept))
    cut = metrics(evaluated(tmp_path / "gaps", "--gt", tmp_path / "cut.txt", name="cut"))
    assert by_stamp["combined"] == pytest.approx(cut["combined"], abs=1e-4)  # which has three digits


def test_images_after_the_last_frame_of_the_truth_are_not_judged(evaluated, bag, sequence):
    text = (sequence / "seqinfo.ini").read_text()
    (sequence / "seqinfo.ini").write_text(text.replace(f"seqLength={FRAMES}", "seqLength=15"))
    found = metrics(evaluated(bag, "--gt", sequence))
    assert (found["cameras"]["camera"]["judged"], found["combined"]["frames"]) == (15, 15)
    assert found["cameras"]["camera"]["tracked"] == FRAMES


def test_without_seqinfo_the_truth_ends_with_its_last_frame(rtreid, evaluated, bag, sequence, tmp_path):
    truth = read_mot(sequence / "gt" / "gt.txt")
    write_mot(tmp_path / "short.txt", truth.cut(range(1, 11)))
    code, out, err = rtreid("eval-bag", bag, "--gt", tmp_path / "short.txt", "--output", tmp_path / "out")
    assert code == 0, err
    assert f"{FRAMES} tracked, {FRAMES - 10} without ground truth, not judged" in out
    found = metrics(tmp_path / "out")
    assert (found["cameras"]["camera"]["judged"], found["cameras"]["camera"]["without_truth"]) == (10, 14)
    info = sequence / "seqinfo.ini"
    info.write_text(info.read_text().replace(f"seqLength={FRAMES}", "seqLength=10"))
    write_mot(sequence / "gt" / "gt.txt", truth.cut(range(1, 11)))
    assert metrics(evaluated(bag, "--gt", sequence, name="known"))["combined"] == found["combined"]


@pytest.mark.parametrize("own", [True, False])
def test_ground_truth_longer_than_the_bag_is_said(rtreid, bag, sequence, tmp_path, own):
    with BagReader(bag) as reader, BagOutput(tmp_path / "short") as output:
        for message in reader.messages():
            if (own and message.topic == "/ground_truth") or message.received_ns < 10**18 + 15 * 50_000_000:
                output.write_cdr(message.topic, message.kind, message.received_ns, message.cdr)
    words = () if own else ("--gt", sequence)
    code, out, err = rtreid("eval-bag", tmp_path / "short", *words, "--output", tmp_path / "out")
    assert code == 0, err
    assert f"15 images, 15 tracked, {FRAMES - 15} frames of the ground truth without an image" in out
    assert metrics(tmp_path / "out")["cameras"]["camera"]["truth_without_image"] == FRAMES - 15


def test_an_image_out_of_order_does_not_shift_the_truth_of_those_that_follow(
    rtreid, evaluated, bag, sequence, tmp_path
):
    with BagReader(bag) as reader, BagOutput(tmp_path / "swapped") as output:
        found = list(reader.messages([name for name in reader.topics if name.startswith("/image")]))
        found[4], found[5] = found[5], found[4]
        for number, message in enumerate(found):
            output.write_cdr(message.topic, message.kind, 10**18 + number, message.cdr)
    swapped = metrics(evaluated(tmp_path / "swapped", "--gt", sequence))
    assert (swapped["cameras"]["camera"]["late"], swapped["cameras"]["camera"]["judged"]) == (1, FRAMES - 1)
    ordered = metrics(evaluated(bag, "--gt", sequence, name="ordered"))
    assert swapped["combined"]["motp"] == pytest.approx(ordered["combined"]["motp"], abs=0.005)


@pytest.fixture
def loop(bag, tmp_path):
    """The bag twice in a row, with the same stamps, and an image that comes twice."""
    with BagReader(bag) as reader, BagOutput(tmp_path / "loop") as output:
        for turn in range(2):
            for message in reader.messages():
                received = message.received_ns + turn * 2 * 10**9
                output.write_cdr(message.topic, message.kind, received, message.cdr)
                if message.topic.startswith("/image") and turn == 0 and received == 10**18:
                    output.write_cdr(message.topic, message.kind, received + 1, message.cdr)
    return tmp_path / "loop"


@pytest.mark.parametrize("own", [True, False])
def test_where_a_bag_loops_tracks_begin_anew_and_each_round_is_judged_by_itself(
    rtreid, evaluated, bag, loop, sequence, tmp_path, own
):
    words = () if own else ("--gt", sequence)
    once, twice = evaluated(bag, *words, name="once"), tmp_path / "twice"
    code, out, err = rtreid("eval-bag", loop, *words, "--output", twice)
    assert code == 0, err
    assert (
        f"camera: {2 * FRAMES + 1} images, {2 * FRAMES} tracked, 1 late, 1 jumps back in time: tracks began "
        "anew there" in out
    )
    found = metrics(twice)["cameras"]["camera"]
    assert {name: found[name] for name in ("late", "refused", "restarts", "judged")} == {
        "late": 1,
        "refused": 0,
        "restarts": 1,
        "judged": 2 * FRAMES,
    }
    single = metrics(once)["combined"]
    for name in ("hota", "mota", "idf1"):
        assert metrics(twice)["combined"][name] == pytest.approx(single[name])
    assert metrics(twice)["combined"]["truth_ids"] == 2 * single["truth_ids"]
    table = read_mot(once / "tracks.txt")
    both = read_mot(twice / "tracks.txt")
    second = both[both.frames > FRAMES + 1]
    assert second.ids.tolist() == table.ids.tolist()
    assert second.boxes.tolist() == table.boxes.tolist()
    received = [time for _, time, _ in tracks_in(twice / "bag")]
    assert received == sorted(received)


def test_without_ground_truth_there_are_tracks_and_no_scores(rtreid, bag, tmp_path):
    with BagReader(bag) as reader, BagOutput(tmp_path / "bare") as output:
        topics = [name for name in reader.topics if name.startswith("/image")]
        for message in reader.messages(topics):
            output.write_cdr(f"/front{message.topic}", message.kind, message.received_ns, message.cdr)
    code, out, err = rtreid("eval-bag", tmp_path / "bare", "--output", tmp_path / "out")
    assert code == 0, err
    assert "no ground truth, no scores: give --gt" in out
    assert metrics(tmp_path / "out")["combined"] is None
    assert read_mot(tmp_path / "out" / "tracks.txt").last_frame == FRAMES
    assert {topic for topic, _, _ in tracks_in(tmp_path / "out" / "bag")} == {"/front/tracks"}


# ---------------------------------------------------------------------------------- cameras


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Two cameras, one of them at half the rate, and their bags alone."""
    folder = tmp_path_factory.mktemp("pair")
    scenes = {"left": SCENE, "right": "synthetic:frames=10,people=5,seed=9,frame_rate=10"}
    options = WritingOptions(images="raw", start_ns=10**18)
    for name, scene in scenes.items():
        with open_source(scene) as source:
            write_bag(folder / name, [Recording("", source)], options)
    with open_source(scenes["left"]) as left, open_source(scenes["right"]) as right:
        write_bag(folder / "both", [Recording("left", left), Recording("right", right)], options)
    return folder


def test_several_cameras_are_tracked_as_each_would_be_alone(rtreid, evaluated, pair, tmp_path):
    code, out, err = rtreid("eval-bag", pair / "both", "--output", tmp_path / "both")
    assert code == 0, err
    found = metrics(tmp_path / "both")
    for name in ("left", "right"):
        alone = evaluated(pair / name, name=name)
        expected = (alone / "tracks.txt").read_bytes()
        assert (tmp_path / "both" / name / "tracks.txt").read_bytes() == expected
        assert found["cameras"][name]["scores"] == metrics(alone)["combined"]
    boxes = [found["cameras"][name]["scores"]["truth_boxes"] for name in ("left", "right")]
    assert found["combined"]["truth_boxes"] == sum(boxes)
    assert "COMBINED" in out
    assert f"left: {FRAMES} images" in out
    topics = {topic for topic, _, _ in tracks_in(tmp_path / "both" / "bag")}
    assert topics == {"/left/tracks", "/right/tracks"}


def test_raw_and_compressed_cameras_are_tracked_together(evaluated, bag, pair, tmp_path):
    broken = 10**18 + 5 * 50_000_000
    with BagOutput(tmp_path / "mixed") as output:
        for name, path in (("left", bag), ("right", pair / "right")):
            with BagReader(path) as reader:
                for message in reader.messages():
                    cdr = message.cdr
                    if message.topic == "/image/compressed" and message.received_ns == broken:
                        cdr = cdr[: len(cdr) // 2]
                    output.write_cdr(f"/{name}{message.topic}", message.kind, message.received_ns, cdr)
    mixed = evaluated(tmp_path / "mixed", name="out")
    found = metrics(mixed)["cameras"]
    assert (found["left"]["tracked"], found["left"]["refused"]) == (FRAMES - 1, 1)
    chosen = evaluated(tmp_path / "mixed", "--topic", "/left/image/compressed", name="left")
    assert (mixed / "left" / "tracks.txt").read_bytes() == (chosen / "tracks.txt").read_bytes()
    alone = evaluated(pair / "right", name="right")
    assert (mixed / "right" / "tracks.txt").read_bytes() == (alone / "tracks.txt").read_bytes()


def test_one_of_several_cameras_can_be_chosen(evaluated, pair):
    folder = evaluated(pair / "both", "--topic", "/right/image")
    assert list(metrics(folder)["cameras"]) == ["right"]
    assert (folder / "tracks.txt").read_bytes() == (
        evaluated(pair / "right", name="alone") / "tracks.txt"
    ).read_bytes()


def test_ground_truth_of_a_camera_is_given_with_its_name(rtreid, evaluated, pair, tmp_path):
    for name in ("left", "right"):
        assert rtreid("bag", "to-mot", pair / name, tmp_path / "gt" / name, "--quiet")[0] == 0
    given = [word for name in ("left", "right") for word in ("--gt", f"{name}={tmp_path / 'gt' / name}")]
    found = metrics(evaluated(pair / "both", *given))
    assert found["cameras"]["right"]["scores"]["idf1"] > 0.5
    only = metrics(evaluated(pair / "both", *given[:2], name="only"))
    assert only["cameras"]["right"]["scores"] is None
    assert only["combined"] == found["cameras"]["left"]["scores"]
    code, _, err = rtreid("eval-bag", pair / "both", "--gt", tmp_path / "gt" / "left")
    assert code == 2
    assert "of which camera? CAMERA=GT, one of left, right" in err
    code, _, err = rtreid("eval-bag", pair / "both", "--gt", f"lift={tmp_path}")
    assert code == 2
    assert "no camera 'lift' (did you mean 'left'?)" in err


# ------------------------------------------------------------------------------- the node


def test_the_node_takes_a_parameter_file_and_single_values(evaluated, bag, tmp_path):
    file = tmp_path / "node.yaml"
    file.write_text("tracking_node:\n  ros__parameters:\n    tracker: {name: bytetrack, min_hits: 1}\n")
    with_file = evaluated(bag, "--config", file, name="file")
    assert "embedder" not in metrics(with_file)["models"]
    flags = evaluated(bag, "--tracker", "bytetrack", "--set", "tracker.min_hits=1", name="flags")
    assert (flags / "tracks.txt").read_bytes() == (with_file / "tracks.txt").read_bytes()
    other = evaluated(bag, "--config", file, "--set", "detector.score_threshold=0.95", name="other")
    assert (other / "tracks.txt").read_bytes() != (with_file / "tracks.txt").read_bytes()
    assert "embedder" in metrics(evaluated(bag, "--config", file, "--tracker", "strongsort"))["models"]


def test_the_parameter_file_that_is_installed_changes_nothing(evaluated, bag):
    with_file = evaluated(bag, "--config", config_file("tracking_node.yaml"), name="file")
    assert (evaluated(bag) / "tracks.txt").read_bytes() == (with_file / "tracks.txt").read_bytes()


def test_models_are_those_that_rtreid_track_takes(evaluated, bag, models):
    _, detector, _, embedder, *_ = models
    unit = ("--set", "embedder.preprocessing=unit")
    chosen = evaluated(bag, "--detector", detector, "--embedder", embedder, *unit, name="chosen")
    assert metrics(chosen)["models"]["embedder"].startswith(embedder.name)
    # whoever names a detector looks at real people
    beside = evaluated(bag, "--detector", detector, name="beside")
    assert "market1501" in metrics(beside)["models"]["embedder"]


def test_an_image_that_is_no_picture_is_refused_and_counted(evaluated, bag, tmp_path):
    with BagReader(bag) as reader, BagOutput(tmp_path / "bad") as output:
        for message in reader.messages():
            cdr = message.cdr
            if message.topic.startswith("/image") and message.received_ns == 10**18 + 5 * 50_000_000:
                cdr = cdr[: len(cdr) // 2]
            output.write_cdr(message.topic, message.kind, message.received_ns, cdr)
    found = metrics(evaluated(tmp_path / "bad"))["cameras"]["camera"]
    assert (found["images"], found["tracked"], found["refused"]) == (FRAMES, FRAMES - 1, 1)


@pytest.mark.parametrize("empty", [True, False])
def test_that_no_image_could_be_tracked_is_an_error(rtreid, bag, sequence, tmp_path, empty):
    with BagReader(bag) as reader, BagOutput(tmp_path / "bad") as output:
        for message in reader.messages(["/image/compressed"]):
            output.write_cdr(message.topic, message.kind, message.received_ns, message.cdr[:40])
    if empty:
        with Writer(tmp_path / "empty", version=8, storage_plugin=StoragePlugin.MCAP) as writer:
            writer.add_connection("/image", "sensor_msgs/msg/Image", typestore=message_types())
    source = tmp_path / ("empty" if empty else "bad")
    code, out, err = rtreid("eval-bag", source, "--gt", sequence, "--output", tmp_path / "out")
    assert code == 2
    assert ("no image on /image" if empty else "not one image could be tracked; why is said above") in err
    assert "give --gt" not in out


def test_a_model_that_fails_on_an_image_costs_that_image_and_is_said(rtreid, tmp_path):
    names = {"names": "{0: 'person'}", "task": "detect"}
    model = brittle_detector(tmp_path / "brittle.onnx", [(100, 100, 40, 80, 0.9)], metadata=names)
    with BagOutput(tmp_path / "bag") as output:
        for number, level in enumerate([0, 255, 0, 0]):
            stamp = 10**18 + number * 10**8
            image = np.full((320, 320, 3), level, np.uint8)
            message = messages.raw_image(image, messages.header(stamp, "front"))
            output.write_message("/image", message, stamp)
    words = ("--detector", model, "--tracker", "bytetrack", "--output", tmp_path / "out")
    code, out, _ = rtreid("eval-bag", tmp_path / "bag", *words)
    assert code == 0
    found = metrics(tmp_path / "out")["cameras"]["camera"]
    assert (found["images"], found["tracked"], found["refused"]) == (4, 3, 1)
    assert "4 images, 3 tracked, 1 refused" in out
    assert set(read_mot(tmp_path / "out" / "tracks.txt").frames) == {1, 3, 4}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("{tmp}/none",), "none: no such bag"),
        (("{bag}", "--topic", "/imag"), "no topic '/imag'"),
        (("{bag}", "--topic", "/ground_truth"), "is no image"),
        (("{bag}", "--gt", "{tmp}/none"), "none: no such file or folder"),
        (("{bag}", "--gt", "{tmp}"), "no ground truth; looked for gt/gt.txt and gt.txt"),
        (("{bag}", "--set", "tracker.max_lost"), "--set takes PARAMETER=VALUE"),
        (("{bag}", "--set", "tracker.max_lost=[1"), "--set takes PARAMETER=VALUE"),
        (("{bag}", "--set", "tracker.max_lots=1"), "unknown parameter tracker.max_lots"),
        (("{bag}", "--set", "detector.classes=[0, person]"), "the node cannot be made: The given value"),
        (("{bag}", "--set", "bogus=2"), "unknown parameter bogus"),
        (
            ("{bag}", "--set", "tracke.name=sort"),
            "tracke.name (did you mean 'tracker.name'?)",
        ),
        (("{bag}", "--config", "{tmp}/none.yaml"), "no such parameter file"),
        (("{bag}", "--tracker", "bytetrak"), "bytetrack"),
        (("{bag}", "--detector", "{tmp}/none.onnx"), "none.onnx"),
    ],
)
def test_mistakes_are_said_in_one_line(rtreid, bag, tmp_path, words, says):
    output = tmp_path / "out"
    words = [word.format(tmp=tmp_path, bag=bag) for word in words]
    code, _, err = rtreid("eval-bag", *words, "--output", output, "--quiet")
    assert code == 2
    assert says in err
    assert "rtreid eval-bag: error: " in err
    assert not (output / "metrics.json").exists()


def test_a_recording_is_not_replaced_by_its_own_tracks(rtreid, bag, sequence, tmp_path):
    recording = shutil.copytree(bag, tmp_path / "rec" / "bag")
    before = {path: path.read_bytes() for path in recording.iterdir()}
    for words, says in (
        ((recording,), f"would replace {recording}"),
        ((recording / "scene.mcap",), f"would replace {recording / 'scene.mcap'}"),
        ((bag, "--gt", tmp_path / "rec" / "tracks.txt"), "tracks.txt: writing there would replace"),
    ):
        shutil.copy(sequence / "gt" / "gt.txt", tmp_path / "rec" / "tracks.txt")
        code, _, err = rtreid("eval-bag", *words, "--output", tmp_path / "rec")
        assert code == 2
        assert says in err
    assert {path: path.read_bytes() for path in recording.iterdir()} == before


def test_that_nothing_can_be_judged_is_said_before_the_replay(rtreid, bag, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "trackeval", None)  # as if it were not installed
    code, _, err = rtreid("eval-bag", bag, "--output", tmp_path / "out")
    assert code == 2
    assert "judging tracks needs TrackEval: pip install" in err
    assert not (tmp_path / "out").exists()


# -------------------------------------------------------------------------------- real data


def test_real_people_twice_give_the_same_bytes_and_good_tracks(rtreid, evaluated, shared_data, tmp_path):
    root = shared_data / "mot" / "MOT15" / "TUD-Stadtmitte"
    words = ("--frames", 50, "--start", 1_700_000_000, "--quiet")
    assert rtreid("bag", "from-mot", root, tmp_path / "tud", *words)[0] == 0
    detector = shared_data / "weights" / "det" / "yolox_nano_coco416.onnx"
    options = ("--detector", detector, "--set", "detector.classes=[person]")
    first, second = (evaluated(tmp_path / "tud", *options, name=name) for name in "ab")
    for name in ("tracks.txt", "bag/bag.mcap", "bag/metadata.yaml", "metrics.json"):
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
    assert metrics(first)["combined"]["idf1"] > 0.7
    assert metrics(first)["combined"]["frames"] == 50
