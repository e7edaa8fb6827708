"""Source to sinks with real stages on small made models."""

import contextlib
import logging
from dataclasses import replace

import numpy as np
import pytest
from support.models import constant_detector, mean_color_embedder
from support.motion import world

from rtreid_ros.camera_motion import create_camera_motion
from rtreid_ros.camera_motion.ego import EgoMotion, PoseBuffer
from rtreid_ros.camera_motion.stored import StoredMotion
from rtreid_ros.detection import DetectorOptions, create_detector
from rtreid_ros.errors import ImageError, InputError, SourceError
from rtreid_ros.pipeline import TrackingPipeline, run
from rtreid_ros.reid import EmbedderOptions, create_embedder
from rtreid_ros.sources.base import BaseSource
from rtreid_ros.tracking import create_tracker
from rtreid_ros.types import Frame

PEOPLE = [(100, 100, 40, 80, 0.9), (220, 150, 40, 80, 0.8)]


@pytest.fixture
def detector(tmp_path):
    """Finds the same two people in every image."""
    return constant(tmp_path, PEOPLE)


def constant(tmp_path, people):
    table = np.zeros((1, 5, 2100), np.float32)
    for index, (x, y, w, h, score) in enumerate(people):
        table[0, :, index] = x, y, w, h, score
    path = constant_detector(
        tmp_path / "detector.onnx", table, metadata={"names": "{0: 'person'}", "task": "detect"}
    )
    return create_detector(DetectorOptions(model=str(path)))


@pytest.fixture
def embedder(tmp_path):
    path = mean_color_embedder(tmp_path / "embedder.onnx")
    return create_embedder(EmbedderOptions(model=str(path), preprocessing="unit"))


class Pictures(BaseSource):
    """Frames from a list of images; an exception in the list is raised in its place."""

    def __init__(self, images, rate=10.0):
        super().__init__("pictures", rate, (320, 320))
        self.images = images
        self.length = len(images)

    def __iter__(self):
        for index, image in enumerate(self.images):
            if isinstance(image, BaseException):
                raise image
            yield Frame(image, index, round(index * 1e9 / self.frame_rate))


class Memory:
    """Keeps the results."""

    def __init__(self):
        self.results = []

    def write(self, result):
        self.results.append(result)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def street():
    image = np.zeros((320, 320, 3), np.uint8)
    image[60:140, 80:120] = 200, 30, 30
    image[110:190, 200:240] = 30, 30, 200
    return image


def test_frames_become_tracks_with_times_for_each_stage(detector, embedder):
    pipeline = TrackingPipeline(detector, embedder, create_tracker("strongsort", frame_rate=10))
    memory = Memory()
    summary = run(Pictures([street()] * 6), pipeline, [memory])
    assert (summary.frames, summary.skipped, summary.detections, summary.ids) == (6, 0, 12, {1, 2})
    last = memory.results[-1]
    assert last.tracks.confirmed().ids.tolist() == [1, 2]
    assert np.allclose(last.tracks.boxes[0], [80, 60, 120, 140], atol=1)
    assert last.detections.embeddings.shape == (2, 3)
    assert min(last.timings.detection_ms, last.timings.embedding_ms, last.timings.tracking_ms) > 0
    assert last.timings.total_ms == sum(
        (last.timings.detection_ms, last.timings.embedding_ms, last.timings.tracking_ms)
    )
    figures = summary.as_dict()
    assert figures["ids"] == 2
    assert 0 < figures["tracking_ms"]["p50"] <= figures["tracking_ms"]["p99"]
    assert figures["frames_per_second"] > 0


def test_a_tracker_without_appearance_costs_no_embedding(detector, embedder):
    pipeline = TrackingPipeline(detector, embedder, create_tracker("bytetrack", frame_rate=10))
    result = pipeline.process(Frame(street(), 0, 0))
    assert pipeline.embedder is None
    assert result.detections.embeddings is None
    assert result.timings.embedding_ms == 0


def test_an_appearance_tracker_also_works_without_an_embedder(detector):
    pipeline = TrackingPipeline(detector, None, create_tracker("strongsort", frame_rate=10))
    assert run(Pictures([street()] * 5), pipeline).ids == {1, 2}


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((320, 320), np.uint8), np.zeros((0, 320, 3), np.uint8), np.zeros((320, 320, 3), np.float32)],
)
def test_an_unusable_image_is_counted_logged_and_skipped(detector, wrong, caplog):
    pipeline = TrackingPipeline(detector, None, create_tracker("bytetrack", frame_rate=10))
    memory = Memory()
    with caplog.at_level(logging.WARNING):
        summary = run(Pictures([street(), wrong, street(), street()]), pipeline, [memory])
    assert (summary.frames, summary.skipped) == (3, 1)
    assert [result.frame.index for result in memory.results] == [0, 2, 3]
    assert "frame 1 skipped" in caplog.text
    with pytest.raises(ImageError):
        pipeline.process(Frame(wrong, 9, 10**9))


def test_nonsense_from_a_detector_is_counted_and_harms_no_one(tmp_path):
    nonsense = [(np.nan, 100, 40, 80, 0.9), (100, 100, -40, 80, 0.9), (100, 100, 40, np.inf, 0.9)]
    pipeline = TrackingPipeline(constant(tmp_path, PEOPLE + nonsense), None, create_tracker("bytetrack", 10))
    summary = run(Pictures([street()] * 4), pipeline)
    assert (summary.frames, summary.ids) == (4, {1, 2})
    assert summary.rejected == summary.as_dict()["rejected_detections"] == 4 * 3


class Stamped(Pictures):
    """The same picture at given stamps in seconds."""

    def __init__(self, stamps):
        super().__init__([street()] * len(stamps))
        self.stamps = stamps

    def __iter__(self):
        for frame, stamp in zip(super().__iter__(), self.stamps, strict=True):
            yield replace(frame, stamp_ns=round(stamp * 1e9))


def test_late_and_repeated_frames_are_counted_logged_and_skipped(detector, caplog):
    pipeline = TrackingPipeline(detector, None, create_tracker("bytetrack", frame_rate=10))
    memory = Memory()
    with caplog.at_level(logging.WARNING):
        summary = run(Stamped([5.0, 5.1, 5.3, 5.2, 5.3, 5.4]), pipeline, [memory])
    assert (summary.frames, summary.late) == (4, 2)
    assert [result.frame.index for result in memory.results] == [0, 1, 2, 5]
    assert pipeline.tracker.resets == 0
    assert summary.ids == {1, 2}
    assert caplog.text.count("is not after the last") == 2


def test_stamps_that_jump_far_back_begin_anew(detector):
    pipeline = TrackingPipeline(detector, None, create_tracker("bytetrack", frame_rate=10))
    summary = run(Stamped([50.0, 50.1, 50.2, 0.0, 0.1, 0.2]), pipeline)
    assert (summary.frames, summary.late, pipeline.tracker.resets) == (6, 0, 1)


def test_ctrl_c_ends_the_run_and_keeps_what_was_tracked(detector):
    memory = Memory()
    pipeline = TrackingPipeline(detector, None, create_tracker("bytetrack", frame_rate=10))
    summary = run(Pictures([street(), street(), KeyboardInterrupt()]), pipeline, [memory])
    assert summary.interrupted
    assert len(memory.results) == summary.frames == 2


def test_an_error_of_the_source_is_not_swallowed(detector):
    pipeline = TrackingPipeline(detector, None, create_tracker("bytetrack", frame_rate=10))
    with pytest.raises(SourceError, match="damaged"):
        run(Pictures([street(), SourceError("damaged")]), pipeline)


def test_reset_begins_with_new_ids(detector):
    pipeline = TrackingPipeline(detector, None, create_tracker("bytetrack", frame_rate=10))
    first = run(Pictures([street()] * 4), pipeline)
    pipeline.reset()
    assert run(Pictures([street()] * 4), pipeline).ids == first.ids


def test_progress_goes_to_standard_error_with_rate_and_tracks(detector, capsys):
    pipeline = TrackingPipeline(detector, None, create_tracker("bytetrack", frame_rate=10))
    run(Pictures([street()] * 4), pipeline, progress=True)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "pictures: 100%" in captured.err
    assert "4/4" in captured.err
    assert "tracks=2" in captured.err
    run(Pictures([street()]), pipeline)
    assert capsys.readouterr().err == ""


def pan(count, pixels=12):
    """A camera that pans over a wide still picture."""
    wide = world(320 + count * pixels, 320)
    return [np.ascontiguousarray(wide[:, left : left + 320]) for left in range(0, count * pixels, pixels)]


def test_the_tracker_is_told_how_the_camera_moved(detector):
    """To a camera that pans at 12 pixels per frame, who stays in place in its image is moving."""
    motion = create_camera_motion("sparse_flow")
    pipeline = TrackingPipeline(detector, None, create_tracker("bytetrack", frame_rate=10), motion)
    memory = Memory()
    summary = run(Pictures(pan(6)), pipeline, [memory])
    assert np.array_equal(memory.results[0].camera_motion, np.eye(2, 3))
    for result in memory.results[1:]:
        assert np.allclose(result.camera_motion, [[1, 0, -12], [0, 1, 0]], atol=0.1)
        assert result.timings.camera_motion_ms > 0
    assert memory.results[-1].timings.total_ms > memory.results[-1].timings.camera_motion_ms
    assert summary.as_dict()["camera_motion_ms"]["p50"] > 0
    assert summary.motion_failures == summary.as_dict()["camera_motion_failures"] == 0


def test_boxes_follow_the_camera_while_nobody_is_seen(tmp_path):
    """Two people are found, then no more; the camera pans on."""

    class Forgetful:
        def __init__(self, detector):
            self.found, self.images, self.rejected, self.info = detector, 0, 0, detector.info

        def detect(self, image):
            self.images += 1
            seen = self.found.detect(image)
            return seen if self.images <= 3 else seen[np.zeros(0, int)]

    places = {}
    for name in (None, "ecc"):
        panned = pan(5)
        pipeline = TrackingPipeline(
            Forgetful(constant(tmp_path, PEOPLE)),
            None,
            create_tracker("bytetrack", frame_rate=10),
            None if name is None else create_camera_motion(name),
        )
        memory = Memory()
        run(Pictures([panned[0]] * 2 + panned), pipeline, [memory])
        places[name] = memory.results[-1].tracks.boxes[:, 0]
    assert np.allclose(places[None], [80, 200], atol=3)
    assert np.allclose(places["ecc"], np.array([80, 200]) - 4 * 12, atol=4)


def test_frames_without_motion_to_tell_are_counted(detector):
    motion = create_camera_motion("orb")
    pipeline = TrackingPipeline(detector, None, create_tracker("bytetrack", frame_rate=10), motion)
    summary = run(Pictures([np.zeros((320, 320, 3), np.uint8)] * 4), pipeline)
    assert summary.motion_failures == pipeline.motion_failures == 3
    pipeline.reset()
    assert run(Pictures([np.zeros((320, 320, 3), np.uint8)]), pipeline).motion_failures == 0


def test_motion_of_a_frame_the_tracker_refuses_is_not_lost(detector):
    class Refusing:
        """A tracker that refuses every second frame."""

        uses_embeddings, rejected = False, 0

        def __init__(self):
            self.calls, self.told = 0, []

        def update(self, detections, stamp, camera_motion):
            self.calls += 1
            if self.calls % 2 == 0:
                raise InputError("not this one")
            self.told.append(camera_motion)

    tracker = Refusing()
    pipeline = TrackingPipeline(detector, None, tracker, create_camera_motion("sparse_flow"))
    for frame in Pictures(pan(5)):
        with contextlib.suppress(InputError):
            pipeline.process(frame)
    for motion in tracker.told[1:]:
        assert np.allclose(motion, [[1, 0, -24], [0, 1, 0]], atol=0.2)


def test_motion_may_come_from_a_file_or_from_odometry(detector):
    """Such sources go by the index and the stamp of a frame."""
    stored = StoredMotion({index: np.array([[1.0, 0, -index], [0, 1, 0]]) for index in range(9)})
    poses = PoseBuffer()
    for tenth in range(9):
        half = tenth * 0.005
        poses.add(tenth * 10**8, (0, 0, 0), (0, np.sin(half), 0, np.cos(half)))
    ego = EgoMotion([[300, 0, 160], [0, 300, 160], [0, 0, 1]], poses)
    for source, expected in ((stored, -4), (ego, -300 * np.tan(0.01))):
        pipeline = TrackingPipeline(detector, None, create_tracker("bytetrack", frame_rate=10), source)
        memory = Memory()
        run(Pictures([street()] * 5), pipeline, [memory])
        assert memory.results[-1].camera_motion[0] @ (160, 160, 1) - 160 == pytest.approx(expected, abs=0.01)
        assert source.failures == 0
