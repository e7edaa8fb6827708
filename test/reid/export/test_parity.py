from types import SimpleNamespace

import numpy as np
import pytest
import torch
from support.reid_export import vectors_of

from rtreid_ros.errors import ExportError
from rtreid_ros.reid.export.network import DeployedNetwork
from rtreid_ros.reid.export.parity import BATCHES, Canvas, measure, prove, prove_half, reference_vectors


class Recorder:
    """An embedder that gives rows of a table and notes the sizes of its batches."""

    def __init__(self, rows, canvas):
        self.rows, self.canvas, self.batches = rows, canvas, []
        self.dim = rows.shape[1]

    def embed(self, image, boxes):
        assert image is self.canvas.image
        self.batches.append(len(boxes))
        places = [int(np.flatnonzero((self.canvas.boxes == box).all(1))[0]) for box in boxes]
        return self.rows[places]


@pytest.fixture
def canvas(crops):
    return Canvas(crops.images)


@pytest.fixture
def rows(checkpoint, canvas):
    network = DeployedNetwork(checkpoint.create_model(), checkpoint.size)
    return reference_vectors(network, checkpoint.preprocessing, canvas)


def test_crops_lie_in_one_image_and_come_again_until_the_largest_batch_is_full(crops, canvas):
    assert len(canvas.boxes) == max(BATCHES)
    for number, (x1, y1, x2, y2) in enumerate(canvas.boxes.astype(int)):
        np.testing.assert_array_equal(canvas.image[y1:y2, x1:x2], crops.images[number % len(crops.images)])


def test_more_crops_than_the_largest_batch_all_count(crops):
    assert len(Canvas(crops.images * 4).boxes) == 44


def test_the_reference_is_the_network_on_the_pixels_of_each_crop(checkpoint, crops, rows):
    np.testing.assert_allclose(rows[:11], vectors_of(checkpoint, crops.images), atol=1e-5)
    np.testing.assert_array_equal(rows[11:22], rows[:11])


def test_every_crop_goes_through_every_batch_size(canvas, rows):
    embedder = Recorder(rows, canvas)
    found = prove(embedder, rows, canvas, "fp32")
    assert embedder.batches == [1] * 32 + [8] * 4 + [32]
    assert (found.least, found.mean) == (pytest.approx(1), pytest.approx(1))


def test_one_wrong_vector_in_one_batch_size_is_enough(canvas, rows):
    class Slip(Recorder):
        def embed(self, image, boxes):
            vectors = super().embed(image, boxes).copy()
            if len(boxes) == 8 and len(self.batches) == 34:
                vectors[3] = np.roll(vectors[3], 1)
            return vectors

    with pytest.raises(ExportError, match=r"cosine 0\.\d+, at least 0\.9999 is wanted"):
        prove(Slip(rows, canvas), rows, canvas, "fp32")


@pytest.mark.parametrize(("precision", "passes"), [("fp32", False), ("fp16", True), ("fp16-weights", True)])
def test_half_precision_may_differ_a_little_more(canvas, precision, passes):
    expected = np.tile(np.float32([1, 0]), (32, 1))
    angle = np.arccos(0.9995)
    turned = np.tile(np.float32([np.cos(angle), np.sin(angle)]), (32, 1))
    if passes:
        assert prove(Recorder(turned, canvas), expected, canvas, precision).least == pytest.approx(0.9995)
    else:
        with pytest.raises(ExportError, match=r"cosine 0\.999500"):
            prove(Recorder(turned, canvas), expected, canvas, precision)


def test_vectors_that_are_not_finite_do_not_pass(canvas, rows):
    broken = rows.copy()
    broken[4] = np.nan
    with pytest.raises(ExportError, match="cosine nan"):
        prove(Recorder(broken, canvas), rows, canvas, "fp16")


def test_vectors_of_another_length_do_not_pass(canvas, rows):
    with pytest.raises(ExportError, match="the file gives 63 numbers per crop, the network 64"):
        prove(Recorder(rows[:, 1:], canvas), rows, canvas, "fp32")


def test_the_network_itself_is_tried_in_half_precision(canvas, rows, checkpoint):
    network = DeployedNetwork(checkpoint.create_model(), checkpoint.size, half=True)
    prove_half(network, checkpoint.preprocessing, rows, canvas)
    with torch.no_grad():
        network.model.conv1.weight *= 1e4
    with pytest.raises(ExportError, match="half precision does not suit it"):
        prove_half(network, checkpoint.preprocessing, rows, canvas)


def test_no_times_where_none_are_asked_for(canvas, rows):
    assert measure(Recorder(rows, canvas), canvas, 0) == ()


def test_slow_models_are_timed_three_times(canvas, monkeypatch):
    clock = iter(np.arange(0, 1e6, 3.0))  # every look at it is 3 seconds later
    monkeypatch.setattr(
        "rtreid_ros.reid.export.parity.time", SimpleNamespace(perf_counter=lambda: next(clock))
    )
    embedder = Recorder(np.eye(32, dtype=np.float32), canvas)
    assert [(item.batch, item.milliseconds, item.calls) for item in measure(embedder, canvas, 20)] == [
        (batch, 3000, 3) for batch in BATCHES
    ]
    assert embedder.batches == [1] * 4 + [8] * 4 + [32] * 4  # one more to warm up
