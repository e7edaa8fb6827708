"""A network of torch where a session is wanted."""

import numpy as np
import pytest
import torch

from rtreid_ros.errors import ConfigError, ModelError
from rtreid_ros.reid import EmbedderOptions
from rtreid_ros.reid.models import create_model
from rtreid_ros.reid.models.session import TorchSession
from rtreid_ros.reid.preprocessing import PRESETS
from rtreid_ros.reid.session_embedder import SessionEmbedder


@pytest.fixture
def model():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return create_model("osnet_x0_25", 5)


def test_the_deployed_embedder_runs_it(model):
    session = TorchSession(model.train(), "net.pt", (32, 16), PRESETS["imagenet"], "cpu")
    embedder = SessionEmbedder(session, EmbedderOptions(batch_size=4))
    assert (embedder.dim, embedder.info.backend, embedder.info.input_size) == (512, "torch", (32, 16))
    image = np.random.default_rng(0).integers(0, 256, (32, 96, 3), dtype=np.uint8)
    boxes = np.array([(16 * index, 0, 16 * index + 16, 32) for index in range(6)], np.float32)
    mean, std = np.array(PRESETS["imagenet"].mean), np.array(PRESETS["imagenet"].std)
    crops = (image.reshape(32, 6, 16, 3).transpose(1, 0, 2, 3)[..., ::-1] / 255 - mean) / std
    with torch.no_grad():
        expected = model.eval()(torch.from_numpy(crops.transpose(0, 3, 1, 2).astype(np.float32))).numpy()
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(embedder.embed(image, boxes), expected, atol=1e-5)


def test_cuda_asked_for_and_absent_is_said(model, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="finds no GPU here; use cpu or auto"):
        TorchSession(model, "net.pt", (32, 16), PRESETS["imagenet"], "cuda")
    assert TorchSession(model, "net.pt", (32, 16), PRESETS["imagenet"]).provider == "cpu"


def test_an_input_that_does_not_fit_is_said(model):
    session = TorchSession(model, "net.pt", (32, 16), PRESETS["imagenet"], "cpu")
    with pytest.raises(ModelError, match=r"net\.pt failed on an input of shape \(1, 4, 32, 16\)"):
        session.run(np.zeros((1, 4, 32, 16), np.float32))
