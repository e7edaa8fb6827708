"""The card's section about the built-in embedder of real people."""

import dataclasses

import pytest

from rtreid_ros.errors import ConfigError
from rtreid_ros.reid.backends import PEOPLE
from rtreid_ros.reid.checkpoint import Checkpoint, save_checkpoint
from rtreid_ros.reid.export.card import CONFIG, overrides, same_recipe, section
from rtreid_ros.reid.models import create_model
from rtreid_ros.reid.preprocessing import PRESETS
from rtreid_ros.reid.training.config import find_config, read_config
from rtreid_ros.runtime.session import BUILTINS


def recipe(*changes):
    return read_config(find_config(CONFIG), ["data.root=x.tar", *changes]).values()


def test_a_twin_differs_in_what_it_saw_and_for_how_long_alone():
    assert same_recipe(recipe("data.split=all"), recipe("data.split=mod5", "training.epochs=3"))
    assert not same_recipe(recipe(), recipe("optimizer.lr=0.1"))
    assert not same_recipe(recipe(), recipe("losses.centre=on"))


def test_the_command_has_what_is_not_built_in():
    text = overrides(
        recipe("data.split=all", "training.epochs=7", "training.threads=1", "augmentation.erasing=0.25")
    )
    assert text == " data.split=all augmentation.erasing=0.25 training.epochs=7"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [(("optimizer.lr=0.1", "data.split=mod5"), "another recipe"), (("data.split=all",), "data.split=mod5")],
)
def test_figures_of_no_twin_are_refused(tmp_path, changes, complaint):
    known = recipe("training.precision=bf16", *changes)
    model = create_model("osnet_x0_25", 4, width=0.0625)
    twin = Checkpoint(
        "osnet_x0_25", dataclasses.asdict(model.options), 4, 0, (128, 64), PRESETS["imagenet"],
        model.state_dict(), config=known,
    )  # fmt: skip
    save_checkpoint(twin, tmp_path / "twin.pt")
    with pytest.raises(ConfigError, match=complaint):
        section(BUILTINS / PEOPLE, tmp_path / "twin.pt", "nowhere.tar")
