"""What every network of the registry keeps to."""

import pytest
import torch
from support.reid_models import distinct_models, people, small_model

from rtreid_ros.errors import ConfigError
from rtreid_ros.options import describe
from rtreid_ros.reid.models import MODELS, ReIDOutput, create_model

CLASSES, IMAGES = 3, 2


def batch(name):
    return people(name, CLASSES, IMAGES, torch.Generator().manual_seed(0))[0]


@pytest.fixture(autouse=True)
def _same_start():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


@pytest.mark.parametrize("name", distinct_models())
def test_training_gives_embedding_neck_and_logits(name):
    images = batch(name)
    model = small_model(name, CLASSES).train()
    output = model(images)
    rows = len(images)
    assert isinstance(output, ReIDOutput)
    assert output.embedding.shape == output.neck.shape == (rows, model.dim)
    assert output.logits.shape == (rows, CLASSES)
    assert sum(model.branches) == model.dim
    for branch, dim in zip(output.branches, model.branches if output.branches else (), strict=True):
        assert branch.embedding.shape == branch.neck.shape == (rows, dim)
        assert branch.logits.shape == (rows, CLASSES)
        assert branch.branches == ()


@pytest.mark.parametrize("name", distinct_models())
@torch.no_grad()
def test_evaluation_gives_rows_that_do_not_depend_on_each_other(name):
    images = batch(name)
    model = small_model(name, CLASSES).eval()
    rows = model(images)
    assert rows.shape == (len(images), model.dim)
    torch.testing.assert_close(model(images[2:3]), rows[2:3], atol=1e-5, rtol=1e-3)


@pytest.mark.parametrize("name", distinct_models())
@torch.no_grad()
def test_without_classes_it_is_the_same_network_but_for_the_classifier(name):
    images = batch(name)
    learned, deployed = small_model(name, CLASSES).eval(), small_model(name, 0).eval()
    weights = {key: value for key, value in learned.state_dict().items() if not key.startswith("classifier")}
    left = deployed.load_state_dict(weights, strict=False)
    assert left.unexpected_keys == []
    assert all(key.startswith("classifier") for key in left.missing_keys)
    torch.testing.assert_close(deployed(images), learned(images))
    assert deployed.train()(images).logits.shape == (len(images), 0)


@pytest.mark.parametrize("name", distinct_models())
@torch.no_grad()
def test_an_unknown_camera_adds_nothing_and_a_known_one_something(name):
    images = batch(name)
    model = small_model(name, CLASSES, cameras=4).eval()
    plain = model(images)
    known = model(images, torch.tensor([-1, 4, 99, 0, 3, -1]))
    for row in (0, 1, 2, 5):
        torch.testing.assert_close(known[row], plain[row])
    uses = any(key.startswith(("side.", "frame.side.")) for key in model.state_dict())
    for row in (3, 4):
        assert torch.allclose(known[row], plain[row], atol=1e-6) != uses


def test_only_networks_that_say_so_use_cameras():
    using = {name for name in distinct_models() if hasattr(small_model(name, 2, cameras=2), "side")}
    families = {MODELS[name].cls.__name__ for name in using}
    assert families == {"ResNet", "ResNet3d", "Swin", "ViT"}


@pytest.mark.parametrize("name", list(MODELS))
def test_every_name_has_a_summary_and_described_options(name):
    entry = MODELS[name]
    assert entry.summary
    options = {item.name: item for item in describe(entry.cls.Options)}
    for key, value in entry.preset.items():
        assert options[key].check(value) == value
    assert all(item.help for item in options.values())


def test_unknown_names_and_options_are_refused_with_the_nearest():
    with pytest.raises(ConfigError, match=r"unknown ReID model 'vit_tinny' \(did you mean 'vit_tiny'\?\)"):
        create_model("vit_tinny", 3)
    with pytest.raises(ConfigError, match=r"no option 'pach' \(did you mean 'patch'\?\)"):
        create_model("vit_tiny", 3, pach=8)
    with pytest.raises(ConfigError, match="depth must be"):
        create_model("vit_tiny", 3, depth=0)
