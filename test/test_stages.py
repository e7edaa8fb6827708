"""Models shared by several cameras, each with a tracker of its own."""

import numpy as np
import pytest
from support.models import brightness_detector, brittle_detector, mean_color_embedder

from rtreid_ros.camera_motion import create_camera_motion
from rtreid_ros.datasets.synthetic import SyntheticScene
from rtreid_ros.detection import DetectorOptions, create_detector
from rtreid_ros.errors import ImageError, InputError, ModelError
from rtreid_ros.pipeline import TrackingPipeline
from rtreid_ros.reid import EmbedderOptions, create_embedder
from rtreid_ros.reid.economy import EconomyOptions, EmbeddingEconomy
from rtreid_ros.stages import Camera, Spans, detect_each, embed_each
from rtreid_ros.tracking import create_tracker
from rtreid_ros.types import Detections, Frame

NAMES = {"names": "{0: 'person'}", "task": "detect"}
PEOPLE = [(100, 100, 40, 80, 0.9), (220, 150, 40, 80, 0.8)]
BLACK, WHITE = (np.full((320, 320, 3), value, np.uint8) for value in (0, 255))


def scene(seed):
    return list(SyntheticScene(frames=12, people=5, seed=seed, frame_rate=10, camera_motion=6))


def camera():
    return Camera(create_tracker("strongsort", frame_rate=10), create_camera_motion("sparse_flow"))


def test_cameras_with_common_models_are_tracked_as_each_alone():
    detector, embedder = create_detector(), create_embedder()
    scenes = [scene(seed) for seed in (1, 2, 3)]
    alone = []
    for frames in scenes:
        own = camera()
        pipeline = TrackingPipeline(detector, embedder, own.tracker, own.camera_motion)
        alone.append([pipeline.process(frame) for frame in frames])

    cameras = [camera() for _ in scenes]
    for moment, frames in enumerate(zip(*scenes, strict=True)):
        found = detect_each(detector, [frame.image for frame in frames])
        steps = [one.plan(*pair) for one, pair in zip(cameras, zip(frames, found, strict=True), strict=True)]
        vectors = embed_each(embedder, [(step.frame.image, step.boxes) for step in steps])
        for index, (one, step, rows) in enumerate(zip(cameras, steps, vectors, strict=True)):
            result, expected = one.update(step, rows), alone[index][moment]
            np.testing.assert_array_equal(result.tracks.ids, expected.tracks.ids)
            np.testing.assert_array_equal(result.camera_motion, expected.camera_motion)
            np.testing.assert_allclose(result.tracks.boxes, expected.tracks.boxes, atol=1e-3)
            np.testing.assert_allclose(
                result.detections.embeddings, expected.detections.embeddings, atol=1e-5
            )
    assert all(result.tracks.confirmed().ids.min() == 1 for results in alone for result in results[-1:])


def test_an_image_that_is_none_costs_only_itself(tmp_path):
    detector = create_detector(
        DetectorOptions(model=str(brightness_detector(tmp_path / "d.onnx", PEOPLE, metadata=NAMES)))
    )
    assert detector.max_batch > 1
    found = detect_each(detector, [BLACK, BLACK[..., 0], WHITE])
    assert isinstance(found[1], ImageError)
    np.testing.assert_allclose(found[0].boxes[:, 0], [80, 200], atol=1e-3)
    np.testing.assert_allclose(found[2].boxes[:, 0], [180, 300], atol=1e-3)
    assert isinstance(detect_each(detector, [BLACK[..., 0]])[0], ImageError)
    assert detect_each(detector, []) == []


def test_an_image_on_which_the_model_fails_costs_only_itself(tmp_path):
    model = brittle_detector(tmp_path / "brittle.onnx", PEOPLE, metadata=NAMES)
    detector = create_detector(DetectorOptions(model=str(model)))
    found = detect_each(detector, [WHITE, BLACK, BLACK])
    assert isinstance(found[0], ModelError)
    assert [len(rows) for rows in found[1:]] == [2, 2]


def test_crops_of_an_image_that_is_none_cost_only_themselves(tmp_path):
    model = mean_color_embedder(tmp_path / "embedder.onnx")
    embedder = create_embedder(EmbedderOptions(model=str(model), preprocessing="unit"))
    box = np.array([[0, 0, 50, 50]], np.float32)
    vectors = embed_each(embedder, [(WHITE, box), (WHITE[0], box), (WHITE, box[:0])])
    assert isinstance(vectors[1], ImageError)
    assert (vectors[0].shape, vectors[2].shape) == ((1, 3), (0, 3))


def test_a_result_tells_when_what_was_done(tmp_path):
    own = camera()
    pipeline = TrackingPipeline(create_detector(), create_embedder(), own.tracker, own.camera_motion)
    result = pipeline.process(scene(1)[0])
    assert [span.stage for span in result.spans] == ["detect", "motion", "embed", "associate"]
    moments = [moment for span in result.spans for moment in (span.begin, span.end)]
    assert moments == sorted(moments)
    assert result.timings.detection_ms == result.spans[0].milliseconds > 0
    assert result.timings.total_ms == pytest.approx(sum(span.milliseconds for span in result.spans))


def test_a_stage_that_raises_leaves_no_span():
    spans = Spans()
    with pytest.raises(ImageError), spans.measure("detect"):
        raise ImageError("no image")
    assert spans == []


def test_each_camera_counts_its_ids_from_one_and_forgets_alone():
    detector = create_detector()
    first, second = (Camera(create_tracker("bytetrack", frame_rate=10)) for _ in range(2))
    frames = scene(4)
    for frame in frames:
        for one in (first, second):
            result = one.update(one.plan(frame, detector.detect(frame.image)), None)
            assert result.tracks.ids.min() == 1
    first.reset()
    later = Frame(frames[-1].image, 99, frames[-1].stamp_ns + 10**8)
    found = detector.detect(later.image)
    assert set(first.update(first.plan(later, found), None).tracks.ages) == {0}
    assert second.update(second.plan(later, found), None).tracks.ages.max() > 0.5


def economical():
    economy = EmbeddingEconomy(EconomyOptions(refresh=1.0))
    return Camera(create_tracker("strongsort", frame_rate=10), economy=economy)


def test_only_what_is_planned_is_embedded_and_the_others_borrow():
    detector, embedder, own = create_detector(), create_embedder(), economical()
    asked = 0
    for frame in SyntheticScene(frames=20, people=5, seed=1, frame_rate=10):
        step = own.plan(frame, detector.detect(frame.image))
        assert step.boxes.shape == (len(step.rows), 4)
        asked += len(step.rows)
        result = own.update(step, embedder.embed(frame.image, step.boxes))
        assert result.detections.embeddings.shape == (len(result.detections), embedder.dim)
        lengths = np.linalg.norm(result.detections.embeddings, axis=1)
        known = result.detections.scores >= own.tracker.least_score
        np.testing.assert_allclose(lengths, known, atol=1e-5)
    counts = own.economy.counts()
    assert counts["embedded"] == asked
    assert counts["borrowed"] > 0.2 * sum(counts.values())
    own.reset()
    assert len(own.plan(frame, detector.detect(frame.image)).rows) > 0


def test_no_more_than_allowed_is_embedded():
    detector, embedder, own = create_detector(), create_embedder(), economical()
    for frame in SyntheticScene(frames=8, people=5, seed=1, frame_rate=10):
        step = own.plan(frame, detector.detect(frame.image), most=1)
        assert len(step.boxes) <= 1
        tracks = own.update(step, embedder.embed(frame.image, step.boxes)).tracks
    assert len(tracks.confirmed()) > 1
    assert own.economy.left_out > 0


def test_a_frame_the_tracker_refuses_leaves_the_economy_as_it_was():
    own, image = economical(), BLACK
    people = Detections(np.array([[80, 60, 120, 140]], np.float32), np.array([0.9]))
    look = np.eye(3, dtype=np.float32)[:1]
    for index in range(5):
        step = own.plan(Frame(image, index, index * 10**8), people)
        own.update(step, look[: len(step.rows)])
    step = own.plan(Frame(image, 5, 5 * 10**8), Detections(people.boxes + 150, people.scores))
    with pytest.raises(InputError):
        own.update(step, np.eye(4, dtype=np.float32)[:1])
    assert len(own.plan(Frame(image, 6, 6 * 10**8), people).plan.borrowed) == 1
