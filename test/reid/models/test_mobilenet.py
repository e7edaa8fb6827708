import pytest
import torch

from rtreid_ros.reid.models import create_model
from rtreid_ros.reid.models.mobilenet import V2

NAMES = ("mobilenetv2_x1_0", "mobilenetv4_conv_small")


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("mobilenetv2_x1_0", 2_224_960),  # Torchreid's, which has an expansion by 1 in its first block
        ("mobilenetv2_x1_4", 4_291_604),
        # timm's without the 1000 classes and the layer of 1280 before them
        ("mobilenetv4_conv_small", 3_774_024 - 1280 * 1000 - 1000 - 960 * 1280 - 2 * 1280),
    ],
)
def test_parameters_are_those_published_and_the_neck(name, published):
    with torch.device("meta"):
        model = create_model(name, 0)
    assert sum(parameter.numel() for parameter in model.parameters()) == published + 2 * model.dim


def test_a_published_trunk_has_the_same_names():
    v2, v4 = (set(create_model(name, 0, width=0.25).state_dict()) for name in NAMES)
    assert {
        "conv1.bn.weight", "conv2.0.conv1.conv.weight", "conv3.1.dwconv2.bn.running_var",
        "conv8.0.conv3.0.weight", "conv9.conv.weight",
    } < v2  # fmt: skip
    assert {
        "conv_stem.weight", "bn1.weight", "blocks.0.1.bn1.bias", "blocks.2.0.dw_start.conv.weight",
        "blocks.2.1.pw_exp.bn.weight", "blocks.3.5.dw_mid.conv.weight", "blocks.3.0.pw_proj.conv.weight",
        "blocks.4.0.conv.weight",
    } < v4  # fmt: skip
    assert "blocks.2.1.dw_start.conv.weight" not in v4
    assert "blocks.2.5.dw_mid.conv.weight" not in v4


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("stride", "shape"), [(2, (4, 2)), (1, (8, 4))])
def test_the_last_stride_halves_the_map(name, stride, shape):
    model = create_model(name, 0, width=0.25, last_stride=stride).eval()
    maps = model.features(noise(2, 3, 128, 64))
    assert maps.shape[2:] == shape
    torch.testing.assert_close(model.fc(maps.mean((2, 3))), model.pool(maps))


@pytest.mark.parametrize("name", NAMES)
def test_a_linear_layer_shortens_the_embedding(name):
    model = create_model(name, 3, width=0.25, dim=24).train()
    output = model(noise(2, 3, 64, 32))
    assert output.embedding.shape == output.neck.shape == (2, 24)
    assert model.dim == model.fc.out_features == 24


def test_width_scales_the_channels():
    assert create_model("mobilenetv2_x1_0", 0, width=0.5).conv9.conv.weight.shape[:2] == (1280, 160)
    assert create_model("mobilenetv2_x1_4", 0).conv1.conv.out_channels == int(32 * 1.4)
    assert create_model("mobilenetv4_conv_small", 0, width=0.25).dim == 240
    assert V2[5].stride == 2  # the stage that last_stride is about
