import logging

import cv2
import numpy as np
import pytest
from onnx import TensorProto
from support.models import constant_detector, mean_color_embedder, two_headed_embedder

from rtreid_ros.detection import DetectorOptions, create_detector
from rtreid_ros.errors import ConfigError, ImageError, ModelError
from rtreid_ros.options import describe
from rtreid_ros.reid import EmbedderOptions, create_embedder
from rtreid_ros.reid.backends import backends
from rtreid_ros.reid.preprocessing import METADATA_KEY, Preprocessing
from rtreid_ros.reid.session_embedder import SessionEmbedder
from rtreid_ros.runtime.ort import OrtSession
from rtreid_ros.types import Detections

BLUE, GREEN, RED = (200, 0, 0), (0, 200, 0), (0, 0, 200)
UNIT = {METADATA_KEY: Preprocessing("RGB").to_json()}


def stripes(*colors):
    """An image of vertical stripes 40 pixels wide, and their boxes."""
    image = np.concatenate([np.full((100, 40, 3), color, np.uint8) for color in colors], axis=1)
    boxes = [(40 * index, 0, 40 * index + 40, 100) for index in range(len(colors))]
    return image, np.array(boxes, np.float32).reshape(-1, 4)


def embedder(path, **options):
    return create_embedder(EmbedderOptions(model=str(path), **options))


def test_vectors_have_unit_length_and_follow_the_boxes(tmp_path):
    found = embedder(mean_color_embedder(tmp_path / "mean.onnx", metadata=UNIT))
    assert found.dim == 3
    assert found.info.input_size == (16, 8)
    vectors = found.embed(*stripes(RED, GREEN, BLUE, (100, 100, 0)))
    half = np.sqrt(0.5)
    np.testing.assert_allclose(vectors, [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, half, half]], atol=1e-6)
    assert vectors.dtype == np.float32


def test_color_order_follows_the_metadata(tmp_path):
    bgr = {METADATA_KEY: Preprocessing("BGR").to_json()}
    vectors = embedder(mean_color_embedder(tmp_path / "mean.onnx", metadata=bgr)).embed(*stripes(RED))
    np.testing.assert_allclose(vectors, [[0, 0, 1]], atol=1e-6)


def test_a_model_that_does_not_say_how_it_wants_pixels_needs_a_preset(tmp_path):
    path = mean_color_embedder(tmp_path / "silent.onnx")
    with pytest.raises(ModelError, match=r"silent\.onnx does not say how pixels are prepared"):
        embedder(path)
    assert embedder(path, preprocessing="unit").dim == 3


def test_nothing_to_embed_gives_no_rows(tmp_path):
    found = embedder(mean_color_embedder(tmp_path / "mean.onnx", metadata=UNIT))
    assert found.embed(stripes(RED)[0], np.zeros((0, 4), np.float32)).shape == (0, 3)


@pytest.mark.parametrize("batch", [None, 1, 3, 8])
@pytest.mark.parametrize("batch_size", [1, 4, 32])
def test_any_number_of_boxes_goes_through_any_batch(tmp_path, batch, batch_size):
    colors = [tuple(row) for row in np.random.default_rng(0).integers(1, 256, (10, 3))]
    image, boxes = stripes(*colors)
    path = mean_color_embedder(tmp_path / "mean.onnx", batch=batch, metadata=UNIT)
    found = embedder(path, batch_size=batch_size)
    expected = np.array(colors, float)[:, ::-1]
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    for count in (10, 1, 3, 7):  # leftovers of a larger frame must not show
        np.testing.assert_allclose(found.embed(image, boxes[:count]), expected[:count], atol=1e-5)


def test_a_provider_that_compiles_each_shape_always_gets_the_same_batch(tmp_path):
    class Recorder(OrtSession):
        def run(self, array):
            sizes.add(len(array))
            return super().run(array)

    image, boxes = stripes(RED, GREEN, BLUE)
    session = Recorder(mean_color_embedder(tmp_path / "mean.onnx", metadata=UNIT))
    for provider, expected in (("TensorrtExecutionProvider", {4}), ("CPUExecutionProvider", {2, 1, 3})):
        session.provider = provider
        sizes = set()
        found = SessionEmbedder(session, EmbedderOptions(batch_size=4))
        for count in (1, 2, 3):
            np.testing.assert_allclose(found.embed(image, boxes[:count]), np.eye(3)[:count], atol=1e-6)
        assert sizes == expected


def test_a_vector_does_not_depend_on_its_neighbours_in_the_batch(shared_data):
    image = np.random.default_rng(0).integers(0, 256, (400, 400, 3), np.uint8)
    boxes = np.array([(10 * i, 5 * i, 10 * i + 80, 5 * i + 200) for i in range(7)], np.float32)
    found = embedder(shared_data / "weights/reid/osnet_x0_25_msmt17.onnx")
    together = found.embed(image, boxes)
    np.testing.assert_array_equal(together, found.embed(image, boxes))
    np.testing.assert_allclose(together[3], found.embed(image, boxes[3:4])[0], atol=1e-5)


@pytest.mark.parametrize(("batch", "batch_size", "expected"), [(None, 4, [4, 4, 1]), (6, 32, [6, 6])])
def test_crops_of_several_images_go_through_common_batches(tmp_path, batch, batch_size, expected):
    class Recorder(OrtSession):
        def run(self, array):
            sizes.append(len(array))
            return super().run(array)

    rng = np.random.default_rng(1)
    pairs = [stripes(*rng.integers(1, 256, (count, 3)).tolist()) for count in (3, 5, 1)]
    pairs.insert(1, (pairs[0][0], np.zeros((0, 4), np.float32)))
    sizes = []
    session = Recorder(mean_color_embedder(tmp_path / "mean.onnx", batch=batch, metadata=UNIT))
    found = SessionEmbedder(session, EmbedderOptions(batch_size=batch_size))
    alone = [found.embed(*pair) for pair in pairs]
    sizes.clear()
    together = found.embed_many(pairs)
    assert sizes == expected
    assert [rows.shape for rows in together] == [(3, 3), (0, 3), (5, 3), (1, 3)]
    for rows, own in zip(together, alone, strict=True):
        np.testing.assert_allclose(rows, own, atol=1e-6)
    assert found.embed_many([]) == []


def test_an_unusable_image_refuses_the_crops_of_all(tmp_path):
    found = embedder(mean_color_embedder(tmp_path / "mean.onnx", metadata=UNIT))
    with pytest.raises(ImageError):
        found.embed_many([stripes(RED), (np.zeros((10, 10), np.uint8), np.zeros((1, 4), np.float32))])


def test_half_precision_models_are_fed_and_read(tmp_path):
    path = mean_color_embedder(tmp_path / "half.onnx", dtype=TensorProto.FLOAT16, metadata=UNIT)
    vectors = embedder(path).embed(*stripes(RED, GREEN))
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, [[1, 0, 0], [0, 1, 0]], atol=1e-3)


def test_trailing_axes_of_size_one_are_taken_off(tmp_path):
    path = mean_color_embedder(tmp_path / "map.onnx", metadata=UNIT, keep_axes=True)
    np.testing.assert_allclose(embedder(path).embed(*stripes(RED)), [[1, 0, 0]], atol=1e-6)


def test_the_output_named_embedding_is_taken_before_others(tmp_path):
    assert embedder(two_headed_embedder(tmp_path / "two.onnx", metadata=UNIT)).dim == 3


def test_boxes_outside_the_image_still_get_a_unit_vector(tmp_path):
    found = embedder(mean_color_embedder(tmp_path / "mean.onnx", metadata=UNIT))
    image, _ = stripes(RED, GREEN)
    vectors = found.embed(
        image, np.array([(-90, 5, -50, 60), (200, 5, 300, 60), (50, 50, 50, 50)], np.float32)
    )
    np.testing.assert_allclose(vectors, [[1, 0, 0], [0, 1, 0], [0, 1, 0]], atol=1e-6)
    assert found.rejected == 0


def test_what_has_no_direction_is_marked_and_counted(tmp_path, caplog):
    found = embedder(mean_color_embedder(tmp_path / "mean.onnx", metadata=UNIT))
    image, boxes = stripes((0, 0, 0), RED, GREEN)
    boxes[2, 0] = np.nan
    with caplog.at_level(logging.WARNING):
        vectors = found.embed(image, boxes)
        found.embed(image, boxes)
    assert np.isnan(vectors[[0, 2]]).all()
    np.testing.assert_allclose(vectors[1], [1, 0, 0], atol=1e-6)
    assert found.rejected == 4
    assert sum("no direction" in record.message for record in caplog.records) == 1
    usable = Detections(boxes[:2], np.ones(2), np.zeros(2), vectors[:2]).is_valid()
    assert usable.tolist() == [False, True]


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ([1, 1, 16, 8], r"takes images \[1, 1, 16, 8\]"),
        (["n", 3, "h", "w"], "size it was trained at"),
    ],
)
def test_an_input_that_takes_no_crops_is_refused(tmp_path, shape, message):
    path = constant_detector(tmp_path / "odd.onnx", np.zeros((1, 8), np.float32), shape=shape)
    with pytest.raises(ModelError, match=message):
        embedder(path, preprocessing="unit")


def test_a_detector_given_as_embedder_is_refused(tmp_path):
    path = constant_detector(tmp_path / "detector.onnx", np.zeros((1, 84, 2100), np.float32))
    create_detector(DetectorOptions(model=str(path)))
    with pytest.raises(ModelError, match=r"detector\.onnx is no embedder: it gives \(1, 84, 2100\)"):
        embedder(path, preprocessing="unit")


def test_an_embedder_given_as_detector_is_refused(tmp_path):
    path = mean_color_embedder(tmp_path / "reid.onnx", batch=1, metadata=UNIT)
    with pytest.raises(ModelError, match=r"outputs of shape \(1, 3\)"):
        create_detector(DetectorOptions(model=str(path)))


def test_what_is_no_bgr_image_is_refused(tmp_path):
    found = embedder(mean_color_embedder(tmp_path / "mean.onnx", metadata=UNIT))
    with pytest.raises(ImageError, match="GRAY2BGR"):
        found.embed(np.zeros((10, 10), np.uint8), np.zeros((1, 4), np.float32))


def test_an_unknown_suffix_lists_the_known_ones():
    with pytest.raises(ConfigError, match=r"\.pt.*known: \.onnx \(onnx\), \.xml \(openvino\)"):
        embedder("osnet.pt")


def test_every_registered_backend_can_be_chosen():
    choices = next(option.choices for option in describe(EmbedderOptions) if option.name == "backend")
    assert set(choices) == {"auto", *backends}


@pytest.fixture(scope="module")
def people_of_tud(shared_data):
    """Every tenth frame of TUD-Stadtmitte with the boxes and ids of its people."""
    folder = shared_data / "mot/MOT15/TUD-Stadtmitte"
    truth = np.loadtxt(folder / "gt/gt.txt", delimiter=",", usecols=range(6))
    video = cv2.VideoCapture(str(folder / "TUD-Stadtmitte.mp4"))
    frames = []
    for number in range(1, 180):
        image = video.read()[1]
        rows = truth[truth[:, 0] == number]
        if number % 10 == 1:
            boxes = np.hstack((rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6])).astype(np.float32)
            frames.append((image, boxes, rows[:, 1]))
    return frames


def separation(found, frames):
    """Chance that one person in two frames is more alike than two persons are: the area under the ROC."""
    vectors = np.vstack([found.embed(image, boxes) for image, boxes, _ in frames])
    ids = np.concatenate([people for _, _, people in frames])
    frame = np.concatenate([np.full(len(people), number) for number, (_, _, people) in enumerate(frames)])
    first, second = np.nonzero(np.triu(frame[:, None] != frame[None]))
    similarity = (vectors @ vectors.T)[first, second]
    same = ids[first] == ids[second]
    rank = np.empty(len(same))
    rank[similarity.argsort()] = np.arange(len(same))
    return (rank[same].mean() - (same.sum() - 1) / 2) / (~same).sum()


@pytest.mark.parametrize(
    ("weights", "dim", "least"),
    [
        ("osnet_x0_25_msmt17.onnx", 512, 0.89),
        ("person-reidentification-retail-0277-FP16/person-reidentification-retail-0277.xml", 256, 0.91),
    ],
)
def test_published_weights_tell_people_apart(shared_data, people_of_tud, weights, dim, least):
    if weights.endswith(".xml"):
        pytest.importorskip("openvino")
    found = embedder(shared_data / "weights/reid" / weights)
    assert found.dim == dim
    assert separation(found, people_of_tud) >= least


def test_pixels_prepared_otherwise_than_in_training_cost_accuracy(shared_data, people_of_tud):
    path = shared_data / "weights/reid/osnet_x0_25_msmt17.onnx"
    assert separation(embedder(path, preprocessing="raw-bgr"), people_of_tud) < 0.75


def test_the_model_gets_what_torchreid_documents(shared_data, people_of_tud):
    """RGB in [0, 1], normalised by ImageNet's statistics: spelt out here, crop by crop."""
    path = shared_data / "weights/reid/osnet_x0_25_msmt17.onnx"
    image, boxes, _ = people_of_tud[0]
    inputs = []
    for x1, y1, x2, y2 in np.rint(boxes).astype(int).clip(0):
        crop = cv2.cvtColor(cv2.resize(image[y1:y2, x1:x2], (128, 256)), cv2.COLOR_BGR2RGB) / 255
        inputs.append(((crop - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)).transpose(2, 0, 1))
    vectors = OrtSession(path).run(np.array(inputs, np.float32))[0]
    expected = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(embedder(path).embed(image, boxes), expected, atol=1e-4)
