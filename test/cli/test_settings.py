"""Defaults, file, assignments and flags, in this order."""

import pytest

from rtreid_ros.camera_motion import CameraMotionOptions
from rtreid_ros.cli.settings import options_text, read_settings
from rtreid_ros.errors import ConfigError
from rtreid_ros.options import describe
from rtreid_ros.tracking import DEFAULT_TRACKER, TRACKERS


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "run.yaml"

    def write(text):
        path.write_text(text)
        return path

    return write


def test_nothing_given_means_the_defaults():
    settings = read_settings()
    assert settings.tracker == DEFAULT_TRACKER
    assert settings.tracker_options == TRACKERS[DEFAULT_TRACKER].Options()
    assert settings.detector.classes == ("person",)


def test_each_way_overrules_the_one_before(config):
    path = config(
        "detector: {score_threshold: 0.2, max_detections: 50, classes: [car]}\n"
        "tracker: {name: bytetrack, max_lost: 2}\n"
    )
    settings = read_settings(path)
    assert (settings.tracker, settings.tracker_options.max_lost) == ("bytetrack", 2.0)
    settings = read_settings(
        path,
        [
            "detector.score_threshold=0.3",
            "tracker.max_lost=3",
            "video.show_lost=yes",
            "detector.classes=bus, car",
        ],
        {"detector.model": "a.onnx", "detector.classes": None, "embedder.model": None},
    )
    assert (settings.detector.score_threshold, settings.detector.max_detections) == (0.3, 50)
    assert settings.detector.classes == ("bus", "car")
    assert settings.detector.model == "a.onnx"
    assert settings.tracker_options.max_lost == 3
    assert settings.video.show_lost is True


def test_the_tracker_is_chosen_by_file_assignment_or_flag(config):
    path = config("tracker: {name: bytetrack}\n")
    assert read_settings(path).tracker == "bytetrack"
    assert read_settings(path, ["tracker.name=strongsort"]).tracker == "strongsort"
    assert (
        read_settings(None, ["tracker.name=strongsort"], {"tracker.name": "bytetrack"}).tracker == "bytetrack"
    )
    assert read_settings(path, [], {"tracker.name": None}).tracker == "bytetrack"


def test_camera_motion_is_a_stage_like_the_others(config):
    path = config("camera_motion: {method: sift, longest_side: 320}\n")
    assert read_settings().camera_motion == CameraMotionOptions()
    settings = read_settings(path, ["camera_motion.longest_side=200"], {"camera_motion.method": "orb"})
    assert settings.camera_motion == CameraMotionOptions("orb", 200)
    with pytest.raises(ConfigError, match="method must be one of auto, none, sparse_flow, ecc, orb, sift"):
        read_settings(None, ["camera_motion.method=flow"])


def test_an_empty_file_changes_nothing(config):
    assert read_settings(config("# nothing\n")) == read_settings()


@pytest.mark.parametrize(
    ("assignment", "says"),
    [
        ("detector.score_threshold", "expected section.key=value, got 'detector.score_threshold'"),
        ("score_threshold=1", "expected section.key=value"),
        ("detectr.model=x", r"no section 'detectr' \(did you mean 'detector'\?\)"),
        (
            "detector.score_treshold=1",
            r"detector has no option 'score_treshold' \(did you mean 'score_threshold'\?\)",
        ),
        ("detector.score_threshold=2", "score_threshold must be a number >= 0 and <= 1, got 2.0"),
        ("detector.backend=onxx", "backend must be one of auto, onnx"),
        ("tracker.name=sortt", "unknown tracker 'sortt'"),
        ("tracker.max_age=1", "tracker has no option 'max_age'"),
    ],
)
def test_wrong_assignments_are_explained(assignment, says):
    with pytest.raises(ConfigError, match=says):
        read_settings(None, [assignment])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("detector: [1, 2]", "detector must be a mapping of options"),
        ("just text", r"expected sections \(detector, embedder"),
        ("detector: {model: [", "cannot be read as YAML"),
        ("detector: {modell: x}", "did you mean 'model'"),
        ("detector: {classes: true}", "classes must be a list of strings"),
        ("trackr: {name: x}", "did you mean 'tracker'"),
        ("tracker: {max_lost: long}", "max_lost must be a number"),
    ],
)
def test_wrong_files_are_explained(config, text, says):
    with pytest.raises(ConfigError, match=says):
        read_settings(config(text))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read"):
        read_settings(tmp_path / "none.yaml")


@pytest.mark.parametrize("tracker", list(TRACKERS))
def test_the_listing_can_be_typed_back(tracker):
    text = options_text(tracker)
    typed = [
        line.strip() for line in text.splitlines() if line.startswith("  ") and not line.startswith("      ")
    ]
    typed = [line for line in typed if not line.startswith("tracker.name=")]
    assert len(typed) >= len(describe(TRACKERS[tracker].Options)) + 10
    assert read_settings(None, typed, {"tracker.name": tracker}) == read_settings(
        None, (), {"tracker.name": tracker}
    )
