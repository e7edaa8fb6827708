import pytest
import torch
from torch import nn

from rtreid_ros.errors import ConfigError, InputError
from rtreid_ros.reid.models import create_model
from rtreid_ros.reid.models.blocks.ibn import IBN3d

TINY = {"width": 0.125}


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("depth", "shortcut", "published"),
    [
        # without the classifier, of the authors' networks (stem 7x7x7, stride 1 in time)
        (10, "B", 14_399_424),
        (18, "A", 33_030_080),
        (18, "B", 33_203_904),
        (34, "B", 63_513_536),
        (50, "A", 43_422_400),
        (50, "B", 46_198_976),
        (101, "B", 85_245_120),
        (152, "B", 117_403_840),
        (200, "B", 126_603_456),
    ],
)
def test_parameters_are_those_published_and_the_neck(depth, shortcut, published):
    with torch.device("meta"):
        model = create_model(f"resnet3d_{depth}", 0, shortcut=shortcut, pooling="average")
    assert sum(parameter.numel() for parameter in model.parameters()) == published + 2 * model.dim


def test_clips_shrink_in_time_and_space():
    model = create_model("resnet3d_10", 0, **TINY).eval()
    # ten frames of 256x128 end as 1x8x4
    assert model.features(noise(1, 10, 3, 256, 128)).shape == (1, 64, 1, 8, 4)
    wide = create_model("resnet3d_10", 0, last_stride=1, **TINY).eval()
    assert wide.features(noise(1, 16, 3, 64, 32)).shape == (1, 64, 2, 4, 2)


def test_time_is_the_second_axis():
    model = create_model("resnet3d_10", 0, **TINY).eval()
    clips = noise(2, 4, 3, 32, 32)
    torch.testing.assert_close(
        model.features(clips),
        model.layer4(
            model.layer3(
                model.layer2(
                    model.layer1(
                        model.maxpool(torch.relu(model.bn1(model.conv1(clips.permute(0, 2, 1, 3, 4)))))
                    )
                )
            )
        ),
    )


@pytest.mark.parametrize("pooling", ["gem", "average"])
def test_pooling_is_over_time_and_space(pooling):
    model = create_model("resnet3d_10", 3, pooling=pooling, last_stride=1, **TINY).train()
    clips = noise(2, 16, 3, 32, 32)
    maps = []
    model.layer4.register_forward_hook(lambda _module, _inputs, output: maps.append(output))
    output = model(clips)
    values = maps[0].flatten(2)
    expected = values.mean(2) if pooling == "average" else values.clamp(min=1e-6).pow(3).mean(2).pow(1 / 3)
    torch.testing.assert_close(output.embedding, expected)
    # the metric space is before the neck, retrieval after it
    torch.testing.assert_close(output.neck.mean(0), torch.zeros(64), atol=1e-4, rtol=0)


def test_instance_norm_is_in_every_block_of_the_first_three_stages():
    for name in ("resnet3d_18_ibn", "resnet3d_50_ibn"):
        model = create_model(name, 0, **TINY)
        for stage, expected in enumerate((IBN3d, IBN3d, IBN3d, nn.BatchNorm3d), 1):
            assert {type(block.bn1) for block in getattr(model, f"layer{stage}")} == {expected}


def test_shortcuts_of_type_a_have_no_weights():
    names = set(create_model("resnet3d_18", 0, shortcut="A", **TINY).state_dict())
    assert not any("downsample" in name for name in names)


def test_names_are_those_of_published_files():
    names = set(create_model("resnet3d_50", 0, **TINY).state_dict())
    assert {
        "conv1.weight",
        "bn1.running_var",
        "layer1.0.downsample.1.weight",
        "layer3.5.conv3.weight",
    } < names


def test_a_known_camera_moves_the_vector():
    model = create_model("resnet3d_10", 0, cameras=2, camera_factor=0.5, **TINY).eval()
    clips = noise(2, 4, 3, 32, 32)
    moved = model(clips, torch.tensor([1, -1])) - model(clips)
    torch.testing.assert_close(moved[0], 0.5 * model.side.table[1], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(moved[1], torch.zeros(64))


def test_images_are_no_clips():
    with pytest.raises(InputError, match=r"clips have the shape \(B, T, 3, H, W\), got \(2, 3, 64, 32\)"):
        create_model("resnet3d_10", 0, **TINY)(noise(2, 3, 64, 32))


def test_a_depth_there_is_not_is_refused():
    with pytest.raises(ConfigError, match="depth must be one of 10, 18, 34, 50, 101, 152, 200, got 20"):
        create_model("resnet3d_10", 0, depth=20)
