"""Networks for pictures on clips: what is pooled, and with which weights."""

import pytest
import torch

from rtreid_ros.errors import ConfigError, InputError
from rtreid_ros.reid.models import MODELS, create_model
from rtreid_ros.reid.models.weights import load_pretrained

SMALL = {"frame_network": "resnet18", "frame_options": ("width=0.125",)}


@pytest.fixture(autouse=True)
def _same_start():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def clips(rows=2, frames=3):
    return torch.randn(rows, frames, 3, 32, 16)


@torch.no_grad()
@pytest.mark.parametrize("pooling", ["average", "attention"])  # attention begins as the average
def test_the_vector_of_a_clip_is_the_mean_of_those_of_its_frames(pooling):
    model = create_model("temporal", 5, pooling=pooling, **SMALL).eval()
    images = clips()
    expected = torch.stack([model.frame(clip).mean(0) for clip in images])
    torch.testing.assert_close(model(images), expected)


@torch.no_grad()
def test_attention_weighs_frames_by_their_own_vectors():
    model = create_model("temporal", 5, pooling="attention", **SMALL).eval()
    model.attention.score.weight.normal_(0, 5)
    images = clips()
    weights = model.attention(model.frame(images.flatten(0, 1)).unflatten(0, (2, 3)))
    torch.testing.assert_close(weights.sum(1), torch.ones(2, 1))
    assert weights.std(1).min() > 1e-3
    expected = torch.stack([(weights[row] * model.frame(images[row])).sum(0) for row in range(2)])
    torch.testing.assert_close(model(images), expected)
    torch.testing.assert_close(model(images.flip(1)), model(images))  # order does not matter


def test_in_training_metric_losses_see_what_is_pooled_before_the_neck():
    model = create_model("temporal", 5, **SMALL).train()
    images = clips()
    output, frames = model(images), model.frame(images.flatten(0, 1))
    torch.testing.assert_close(output.embedding, frames.embedding.unflatten(0, (2, 3)).mean(1))
    torch.testing.assert_close(output.neck, frames.neck.unflatten(0, (2, 3)).mean(1))
    torch.testing.assert_close(output.logits, model.classifiers[0](output.neck))


def test_networks_of_several_branches_keep_them():
    options = {"frame_network": "plr_osnet_x0_25", "frame_options": ("width=0.375", "dim=64")}
    model = create_model("temporal", 5, **options).train()
    output = model(torch.randn(2, 3, 3, 64, 32))
    assert [part.embedding.shape[1] for part in output.branches] == list(model.branches)
    assert all(part.logits.shape == (2, 5) for part in output.branches)
    assert output.neck.shape == (2, model.dim)


@torch.no_grad()
def test_the_camera_of_a_clip_is_that_of_all_its_frames():
    options = {"frame_network": "seresnet18_ibn", "frame_options": ("width=0.125",)}
    model = create_model("temporal", 5, 3, **options).eval()
    images, cameras = clips(), torch.tensor([2, -1])
    found = model(images, cameras)
    torch.testing.assert_close(found[0], model.frame(images[0], torch.tensor([2, 2, 2])).mean(0))
    torch.testing.assert_close(found[1], model(images)[1])
    assert not torch.allclose(found[0], model(images)[0])


def test_weights_of_single_pictures_fit(tmp_path):
    picture = create_model("resnet18", 7, width=0.125)
    torch.save(picture.state_dict(), tmp_path / "picture.pt")
    model = create_model("temporal", 5, **SMALL)
    report = load_pretrained(model, str(tmp_path / "picture.pt"))
    assert report.share == 1
    assert torch.equal(model.frame.conv1.weight, picture.conv1.weight)
    torch.save(model.state_dict(), tmp_path / "clips.pt")
    other = create_model("temporal", 9, pooling="attention", **SMALL)
    load_pretrained(other, str(tmp_path / "clips.pt"))
    assert torch.equal(other.frame.conv1.weight, picture.conv1.weight)


def test_networks_made_for_one_size_get_it():
    tiny = ("dim=64", "depth=2", "heads=2", "patch=8")
    model = create_model("temporal", 3, frame_network="vit_tiny", frame_options=tiny, height=32, width=16)
    assert model.eval()(clips()).shape == (2, model.dim)


def test_single_pictures_and_unsuitable_networks_are_refused():
    with pytest.raises(InputError, match=r"clips have the shape \(B, T, 3, H, W\), got \(2, 3, 32, 16\)"):
        create_model("temporal", 3, **SMALL)(torch.randn(2, 3, 32, 16))
    for name in ("resnet3d_10", "temporal"):
        with pytest.raises(ConfigError, match=f"frame_network={name} takes clips itself"):
            create_model("temporal", 3, frame_network=name)
    with pytest.raises(ConfigError, match="unknown ReID model 'osnett'"):
        create_model("temporal", 3, frame_network="osnett")
    with pytest.raises(ConfigError, match="frame_options takes KEY=VALUE, got 'wide'"):
        create_model("temporal", 3, frame_options=("wide",))
    with pytest.raises(ConfigError, match="no option 'widht'"):
        create_model("temporal", 3, frame_network="resnet18", frame_options=("widht=1",))


def test_only_networks_of_clips_say_so():
    families = {MODELS[name].cls.__name__ for name in MODELS if MODELS[name].takes_clips}
    assert families == {"ResNet3d", "Temporal"}
