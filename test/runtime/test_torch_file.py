import json
import sys

import numpy as np
import pytest
import torch
from torch import nn

from rtreid_ros.detection.backends import backends as detector_backends
from rtreid_ros.errors import ConfigError, MissingDependencyError, ModelError
from rtreid_ros.recordings.identity import model_identity
from rtreid_ros.reid import EmbedderOptions, create_embedder
from rtreid_ros.reid.backends import backends as embedder_backends
from rtreid_ros.runtime.session import backend_for
from rtreid_ros.runtime.torch_file import METADATA_FILE, TorchSession

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")

METADATA = {
    "imgsz": "[16, 8]",
    "preprocessing": '{"color": "RGB", "scale": 1, "mean": [0,0,0], "std": [1,1,1]}',
}


class MeanColor(nn.Module):
    def forward(self, images):
        return images.mean((2, 3))


class Pair(nn.Module):
    def forward(self, images):
        return images, images


def script(path, net=None, metadata=METADATA):
    text = metadata if isinstance(metadata, str) else json.dumps(metadata)
    extra = {} if metadata is None else {METADATA_FILE: text}
    traced = torch.jit.trace((net or MeanColor()).eval(), torch.zeros(2, 3, 16, 8))
    torch.jit.save(traced, str(path), _extra_files=extra)
    return path


def program(path):
    batch = torch.export.Dim("batch", min=1)
    exported = torch.export.export(MeanColor(), (torch.zeros(2, 3, 16, 8),), dynamic_shapes=({0: batch},))
    torch.export.save(exported, path, extra_files={METADATA_FILE: json.dumps(METADATA)})
    return path


@pytest.mark.parametrize(("make", "name"), [(script, "net.torchscript"), (program, "net.pt2")])
def test_batches_of_any_size_are_computed(tmp_path, make, name):
    session = TorchSession(make(tmp_path / name))
    assert (session.name, session.backend, session.provider) == (name, "torch", "cpu")
    assert session.metadata == METADATA
    assert session.inputs[0].shape == (None, 3, 16, 8)
    for rows in (1, 2, 5):
        images = np.random.default_rng(rows).normal(size=(rows, 3, 16, 8)).astype(np.float32)
        np.testing.assert_allclose(session.run(images)[0], images.mean((2, 3)), atol=1e-6)


@pytest.mark.parametrize(("make", "name"), [(script, "net.torchscript"), (program, "net.pt2")])
def test_the_suffix_chooses_the_backend_of_an_embedder(tmp_path, make, name):
    embedder = create_embedder(EmbedderOptions(model=str(make(tmp_path / name))))
    assert str(embedder.info) == f"{name} (embedding, 8x16, torch on cpu)"
    image = np.full((20, 20, 3), (0, 0, 200), np.uint8)
    found = embedder.embed(image, np.array([[2, 2, 9, 9]], np.float32))
    np.testing.assert_allclose(found, [[1, 0, 0]], atol=1e-6)


@pytest.mark.parametrize("name", ["broken.torchscript", "broken.pt2"])
def test_a_damaged_file_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"no archive")
    with pytest.raises(ModelError, match=f"{name}' cannot be loaded by torch"):
        TorchSession(tmp_path / name)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (None, "does not say the size of its input"),
        ({"imgsz": "[16]"}, r"needs 'imgsz'.*and has '\[16\]'"),
        ({"imgsz": "[0, 8]"}, "does not say the size of its input"),
        ({"imgsz": "wide"}, "does not say the size of its input"),
        ("[1, 2]", "is no JSON object"),
        ("{", "is no JSON object"),
    ],
)
def test_metadata_that_do_not_say_the_size_are_refused(tmp_path, metadata, message):
    with pytest.raises(ModelError, match=message):
        TorchSession(script(tmp_path / "net.torchscript", metadata=metadata))


def test_an_input_the_network_fails_on_is_a_model_error(tmp_path):
    session = TorchSession(script(tmp_path / "net.torchscript", nn.Conv2d(3, 2, 3)))
    with pytest.raises(ModelError, match=r"failed on an input of shape \(1, 4, 16, 8\)"):
        session.run(np.zeros((1, 4, 16, 8), np.float32))


def test_a_network_with_two_outputs_is_refused(tmp_path):
    session = TorchSession(script(tmp_path / "net.torchscript", Pair()))
    with pytest.raises(ModelError, match="gives a tuple; it must give one tensor"):
        session.run(np.zeros((1, 3, 16, 8), np.float32))


def test_providers_torch_does_not_have_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"of the wanted providers \(openvino\) none is there; add cpu"):
        TorchSession(script(tmp_path / "net.torchscript"), ("openvino",))


def test_the_number_of_threads_is_set(tmp_path):
    before = torch.get_num_threads()
    try:
        TorchSession(script(tmp_path / "net.torchscript"), threads=before + 1)
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)


def test_without_torch_the_extra_is_named(tmp_path, monkeypatch):
    path = script(tmp_path / "net.torchscript")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingDependencyError, match=r"net\.torchscript needs torch.*rtreid_ros\[train\]"):
        TorchSession(path)


def test_a_checkpoint_given_as_embedder_says_how_to_export_it(tmp_path):
    with pytest.raises(ConfigError, match=r"\.pt2 \(torch\).*rtreid export-reid"):
        create_embedder(EmbedderOptions(model=str(tmp_path / "best.pt")))


def test_torchscript_is_read_by_torch_for_embedders_and_by_ultralytics_for_detectors():
    assert backend_for("net.torchscript", "auto", list(embedder_backends)) == "torch"
    assert backend_for("net.torchscript", "auto", list(detector_backends)) == "ultralytics"
    with pytest.raises(ConfigError, match=r"no backend reads 'net\.pt2'"):
        backend_for("net.pt2", "auto", list(detector_backends))


def test_stored_embeddings_are_of_the_version_of_torch_that_made_them(tmp_path, monkeypatch):
    path = script(tmp_path / "net.torchscript")
    options = EmbedderOptions(model=str(path))
    before = model_identity(options, "")
    assert model_identity(options, "") == before
    monkeypatch.setattr("importlib.metadata.version", lambda name: {"torch": "99"}[name])
    assert model_identity(options, "") != before
