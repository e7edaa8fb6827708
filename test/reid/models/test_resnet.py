import pytest
import torch
from torch import nn

from rtreid_ros.errors import ConfigError
from rtreid_ros.reid.models import MODELS, ReIDOutput, create_model
from rtreid_ros.reid.models.resnet import RESNET


def count(model):
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize(
    ("name", "cameras", "parameters"),
    [
        # trunk + attention + GeM + neck + classifier + cameras
        ("seresnet18_ibn", 6, 11_176_512 + 88_064 + 1 + 1_024 + 384_512 + 3_072),
        ("caresnet18_ibn", 6, 11_826_721),
        ("emaresnet18_ibn", 6, 11_572_161),
        ("taresnet18_ibn", 6, 11_567_521),
        ("resnet18", 0, 11_176_512 + 1_024 + 384_512),
        ("resnet50", 0, 23_508_032 + 4_096 + 2_048 * 751),
        ("resnet50_ibn", 0, 23_508_032 + 4_096 + 2_048 * 751),
        ("resnet50_fc512", 0, 26_992_407 - 1_000 * 2_049),  # without torchvision's own classifier
        ("agw_resnet50", 0, 32_408_641),
    ],
)
def test_parameters_are_those_of_the_architecture(name, cameras, parameters):
    with torch.device("meta"):
        assert count(create_model(name, 751, cameras)) == parameters


@pytest.mark.parametrize("name", RESNET)
def test_gives_embedding_neck_and_logits_in_training_and_the_neck_alone_afterwards(name):
    model = create_model(name, 5, 3, width=0.125, **({"dim": 40} if MODELS[name].preset.get("dim") else {}))
    images = torch.randn(4, 3, 64, 32, generator=torch.Generator().manual_seed(0))

    output = model.train()(images)
    assert isinstance(output, ReIDOutput)
    assert output.embedding.shape == output.neck.shape == (4, model.dim)
    assert output.logits.shape == (4, 5)

    alone = model.eval()(images[:1])
    assert alone.shape == (1, model.dim)
    torch.testing.assert_close(alone, model(images)[:1], rtol=1e-4, atol=1e-5)


def test_without_classes_there_is_no_classifier():
    model = create_model("seresnet18_ibn", 0, width=0.125)
    assert count(model.classifier) == 0
    assert model.train()(torch.randn(2, 3, 32, 32)).logits.shape == (2, 0)


@pytest.mark.parametrize("width", [0.25, 0.375, 0.5])
def test_width_scales_all_channels(width):
    model = create_model("seresnet18_ibn", 4, width=width)
    assert model.dim == 512 * width
    assert model.conv1.out_channels == 64 * width
    assert model.layer3[0].conv1.out_channels == 256 * width


def test_a_depth_there_is_not_is_refused():
    with pytest.raises(ConfigError, match=r"depth must be one of 18, 34, 50, 101, 152, got 20"):
        create_model("resnet18", 4, depth=20)


def test_layers_sit_where_the_architecture_has_them():
    model = create_model("seresnet18_ibn", 4, width=0.125)
    for stage, expected in enumerate(("IBN", "IBN", "IBN", "BatchNorm2d"), 1):
        assert {type(block.bn1).__name__ for block in getattr(model, f"layer{stage}")} == {expected}
    assert not any(isinstance(module, nn.Linear) for module in model.fc.modules())


def test_the_last_stride_halves_the_map():
    images = torch.zeros(1, 3, 256, 128)
    for stride, shape in ((1, (16, 8)), (2, (8, 4))):
        model = create_model("resnet18", 4, width=0.125, last_stride=stride)
        assert model.eval().features(images).shape[2:] == shape
