"""A network of torch where a session is wanted."""

import numpy as np
import pytest
import torch
from support.reid_export import checkpoint_of

from rtreid_ros.errors import ConfigError, ModelError
from rtreid_ros.reid import EmbedderOptions
from rtreid_ros.reid.checkpoint import Checkpoint, save_checkpoint
from rtreid_ros.reid.models import create_model
from rtreid_ros.reid.models.session import NetworkOfClips, NetworkSession, open_checkpoint
from rtreid_ros.reid.preprocessing import PRESETS, Preprocessing
from rtreid_ros.reid.session_embedder import SessionEmbedder
from rtreid_ros.reid.sides import Sides

SIZE = (32, 16)


@pytest.fixture
def model():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return create_model("osnet_x0_25", 5)


def checkpoint(net, **changes):
    content = {
        "model": "osnet_x0_25",
        "options": {},
        "classes": 5,
        "cameras": 0,
        "size": SIZE,
        "preprocessing": PRESETS["half"],
        "weights": net.state_dict(),
    }
    return Checkpoint(**{**content, **changes})


def street(count):
    """An image of `count` people beside each other, their boxes, and the pixels of each."""
    image = np.random.default_rng(0).integers(0, 256, (32, 16 * count, 3), dtype=np.uint8)
    boxes = np.array([(16 * index, 0, 16 * index + 16, 32) for index in range(count)], np.float32)
    return image, boxes, image.reshape(32, count, 16, 3).transpose(1, 0, 2, 3)


def given_by(model, crops, preset, sides=None):
    preparation = preset if isinstance(preset, Preprocessing) else PRESETS[preset]
    mean, std = np.array(preparation.mean), np.array(preparation.std)
    batch = ((crops[..., ::-1] / 255 - mean) / std).transpose(0, 3, 1, 2).astype(np.float32)
    with torch.no_grad():
        return model.eval()(torch.from_numpy(batch), sides).numpy()


def by_hand(model, crops, preset, sides=None):
    vectors = given_by(model, crops, preset, sides)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_the_deployed_embedder_runs_it(model):
    session = NetworkSession(model.train(), "net.pt", SIZE, PRESETS["imagenet"], ["cpu"])
    embedder = SessionEmbedder(session, EmbedderOptions(batch_size=4))
    assert (embedder.dim, embedder.info.backend, embedder.info.input_size) == (512, "torch", SIZE)
    image, boxes, crops = street(6)
    np.testing.assert_allclose(embedder.embed(image, boxes), by_hand(model, crops, "imagenet"), atol=1e-5)


def test_a_checkpoint_says_all_it_takes(model, tmp_path):
    save_checkpoint(checkpoint(model), tmp_path / "best.pt")
    embedder = open_checkpoint(tmp_path / "best.pt", EmbedderOptions(providers=("cpu",)))
    image, boxes, crops = street(3)
    np.testing.assert_allclose(embedder.embed(image, boxes), by_hand(model, crops, "half"), atol=1e-5)
    assert embedder.info.name == "best.pt"


def test_weights_of_another_architecture_are_said(model, tmp_path):
    save_checkpoint(checkpoint(model, model="osnet_x0_5"), tmp_path / "best.pt")
    with pytest.raises(ModelError, match="the weights do not fit osnet_x0_5"):
        open_checkpoint(tmp_path / "best.pt", EmbedderOptions())


def test_cuda_asked_for_and_absent_is_said(model, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match=r"none of the providers cuda is here .*; add cpu"):
        NetworkSession(model, "net.pt", SIZE, PRESETS["imagenet"], ["cuda"])
    assert NetworkSession(model, "net.pt", SIZE, PRESETS["imagenet"]).provider == "cpu"


def test_an_input_that_does_not_fit_is_said(model):
    session = NetworkSession(model, "net.pt", SIZE, PRESETS["imagenet"], ["cpu"])
    with pytest.raises(ModelError, match=r"net\.pt failed on an input of shape \(1, 4, 32, 16\)"):
        session.run(np.zeros((1, 4, 32, 16), np.float32))


SIDES = Sides("camera", ((0, 0), (3, 0)), "street")


def test_side_information_is_of_the_crops_in_their_order_and_gone_afterwards(tmp_path):
    kept = checkpoint_of(sides=SIDES)
    save_checkpoint(kept, tmp_path / "best.pt")
    embedder = open_checkpoint(tmp_path / "best.pt", EmbedderOptions(providers=("cpu",), batch_size=2))
    assert embedder.known_sides() == SIDES
    image, boxes, crops = street(5)
    numbers = np.array([1, -1, 0, 1, 1])
    unknown = by_hand(kept.create_model(), crops, kept.preprocessing)
    expected = by_hand(kept.create_model(), crops, kept.preprocessing, torch.from_numpy(numbers))
    with embedder.told(numbers):
        np.testing.assert_allclose(embedder.embed(image, boxes), expected, atol=1e-5)
    np.testing.assert_allclose(embedder.embed(image, boxes), unknown, atol=1e-5)
    assert not np.allclose(expected[[0, 2, 3, 4]], unknown[[0, 2, 3, 4]], atol=1e-2)
    with pytest.raises(ModelError), embedder.told(numbers[:3]):
        embedder.embed(image, boxes)  # fewer than crops
    np.testing.assert_allclose(embedder.embed(image, boxes), unknown, atol=1e-5)


def test_side_information_reaches_every_frame_of_a_clip():
    options = {"frame_network": "resnet18", "frame_options": ("width=0.125",)}
    kept = checkpoint_of("temporal", sides=SIDES, **options)
    network = NetworkOfClips(kept, "clips.pt", ["cpu"])
    assert network.known_sides() == SIDES
    crops = street(2)[2]
    with network.told(np.array([1])):
        found = network.embed_clips([list(crops)])
    frames = kept.create_model().frame
    each = [given_by(frames, crops, kept.preprocessing, side) for side in (torch.tensor([1, 1]), None)]
    means = [rows.mean(0) / np.linalg.norm(rows.mean(0)) for rows in each]
    np.testing.assert_allclose(found[0], means[0], atol=1e-5)
    np.testing.assert_allclose(network.embed_clips([list(crops)])[0], means[1], atol=1e-5)
    assert not np.allclose(means[0], means[1], atol=1e-2)
