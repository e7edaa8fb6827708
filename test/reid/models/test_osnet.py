import tarfile

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper

from rtreid_ros.reid.models import create_model

PUBLISHED = {
    # parameters without the classifier, of Torchreid's own networks
    "osnet_x1_25": 3_280_620,
    "osnet_x1_0": 2_169_508,
    "osnet_x0_75": 1_285_754,
    "osnet_x0_5": 630_034,
    "osnet_x0_25": 201_864,
    "osnet_ibn_x1_0": 2_170_532,
    "osnet_ain_x1_0": 2_169_508,  # an instance norm takes the place of a batch norm of the same size
    "osnet_ain_x0_75": 1_285_754,
    "osnet_ain_x0_5": 630_034,
    "osnet_ain_x0_25": 201_864,
}


def parameters(model):
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.fixture(scope="module")
def crops(shared_data):
    """``(6, 3, 256, 128)`` of Market-1501, normalised as Torchreid does."""
    images = []
    with tarfile.open(shared_data / "reid" / "market1501_bounding_box_train.tar") as archive:
        for member in archive:
            if not member.name.endswith(".jpg"):
                continue
            encoded = np.frombuffer(archive.extractfile(member).read(), np.uint8)
            image = cv2.resize(cv2.imdecode(encoded, cv2.IMREAD_COLOR), (128, 256))
            images.append(image[..., ::-1].transpose(2, 0, 1))
            if len(images) == 6:
                break
    mean, std = np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], np.float32)[..., None, None]
    return ((np.stack(images).astype(np.float32) / 255 - mean) / std).astype(np.float32)


@pytest.mark.parametrize("name", PUBLISHED)
def test_as_many_parameters_as_published(name):
    assert parameters(create_model(name, 0)) == PUBLISHED[name]
    assert parameters(create_model(name, 10)) == PUBLISHED[name] + 10 * 512 + 10


def test_imagenet_weights_are_known_where_they_were_published():
    with torch.device("meta"):
        for name in PUBLISHED:
            address = create_model(name, 0).imagenet
            assert address.endswith(f"/{name}_imagenet.pth") if name != "osnet_x1_25" else not address
        assert not create_model("osnet_x1_0", 0, width=0.3).imagenet
        assert not create_model("osnet_ibn_x1_0", 0, width=0.25).imagenet


@pytest.mark.parametrize("file", ["osnet_x0_25_market1501", "osnet_x0_25_msmt17"])
def test_published_weights_load_strictly(shared_data, file):
    weights = torch.load(shared_data / "weights" / "reid" / f"{file}.pth", weights_only=True)
    weights = weights.get("state_dict", weights)
    weights = {name.removeprefix("module."): value for name, value in weights.items()}
    create_model("osnet_x0_25", len(weights["classifier.bias"])).load_state_dict(weights, strict=True)


def test_equals_the_published_onnx_file_on_real_crops(shared_data, crops):
    # the file is of another training than the .pth beside it, so its own weights go into our network
    path = shared_data / "weights" / "reid" / "osnet_x0_25_msmt17.onnx"
    model = create_model("osnet_x0_25", 0, relu=True).eval()
    load_folded(model, onnx.load(path).graph)
    with torch.no_grad():
        ours = model(torch.from_numpy(crops)).numpy()
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (published,) = session.run(None, {session.get_inputs()[0].name: crops})
    cosine = (ours * published).sum(1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(published, axis=1)
    assert cosine.min() > 0.9999
    np.testing.assert_allclose(ours, published, atol=1e-3)


def load_folded(model, graph):
    """Weights of an ONNX graph whose batch normalisations were folded into the convolutions before them."""
    values = {item.name: torch.from_numpy(numpy_helper.to_array(item).copy()) for item in graph.initializer}
    state = {name: value for name, value in values.items() if name in model.state_dict()}
    modules = dict(model.named_modules())
    for node in graph.node:
        if node.op_type != "Conv" or node.input[1] in state:
            continue
        path = []  # "/conv2/conv2.0/conv1/conv/Conv" is the module conv2.0.conv1.conv
        for part in node.name.split("/")[1:-1]:
            path[-1 if "." in part else len(path) :] = [part]
        conv = ".".join(path)
        norm = f"{conv.rpartition('.')[0]}.bn"
        state[f"{conv}.weight"] = values[node.input[1]]
        state[f"{norm}.bias"] = values[node.input[2]]
        state[f"{norm}.weight"] = torch.ones_like(values[node.input[2]])
        state[f"{norm}.running_mean"] = torch.zeros_like(values[node.input[2]])
        state[f"{norm}.running_var"] = torch.full_like(values[node.input[2]], 1 - modules[norm].eps)
    left = model.load_state_dict(state, strict=False)
    assert left.unexpected_keys == []
    missing = [name for name in left.missing_keys if not name.endswith("num_batches_tracked")]
    assert missing == ["classifier.weight", "classifier.bias"]


def test_names_of_ain_are_those_of_its_published_files():
    names = set(create_model("osnet_ain_x0_25", 4).state_dict())
    for name in (
        "pool2.0.conv.weight",
        "pool3.0.bn.running_var",
        "conv2.0.conv2.0.layers.0.conv1.weight",  # streams in a list, one convolution more each
        "conv2.0.conv2.3.layers.3.bn.weight",
        "conv3.0.conv2.1.layers.1.conv2.weight",
        "conv3.0.conv3.bn.weight",  # third place of the search: an ordinary block
        "conv4.0.IN.weight",
    ):
        assert name in names
    assert not any(name.startswith(("conv2.2", "conv3.2")) or "conv2a" in name for name in names)
    instance = {name.rpartition(".IN")[0] for name in names if ".IN." in name}
    assert instance == {"conv2.0", "conv2.1", "conv3.1", "conv4.0"}
    for block in instance:
        assert f"{block}.conv3.bn.weight" not in names  # the instance norm stands in for it
    assert "conv1.bn.running_mean" not in names  # so it does in the stem


@pytest.mark.parametrize("name", ["osnet_ibn_x1_0", "osnet_ain_x0_25"])
def test_contrast_of_the_picture_is_taken_out_by_instance_norm(name):
    torch.manual_seed(0)
    images = torch.randn(2, 3, 64, 32)
    model = create_model(name, 0).eval()
    plain = create_model("osnet_x0_25", 0).eval()
    with torch.no_grad():
        torch.testing.assert_close(model(images * 3), model(images), atol=1e-3, rtol=1e-3)
        assert (plain(images * 3) - plain(images)).abs().max() > 1e-3


def test_embedding_is_before_and_neck_after_the_normalisation():
    torch.manual_seed(0)
    model = create_model("osnet_x0_25", 3, relu=True)
    output = model(torch.randn(4, 3, 64, 32))
    expected = torch.relu(model.fc[1](output.embedding))
    torch.testing.assert_close(output.neck, expected)
    torch.testing.assert_close(output.logits, model.classifier(expected))
    assert (output.neck >= 0).all()
    assert (create_model("osnet_x0_25", 3)(torch.randn(4, 3, 64, 32)).neck < 0).any()
