"""Who is judged is not learnt from."""

import shutil

import pytest

from rtreid_ros.errors import ConfigError
from rtreid_ros.reid.adaptation.pictures import load_adaptation
from rtreid_ros.reid.training.placement import Placement


def load(config):
    return load_adaptation(config, Placement(config.learning.training), progress=False)


def test_target_and_evaluation_of_one_data_set_share_nobody(config, judged):
    pictures = load(config(*judged))
    assert len(pictures.target) == 72
    assert not set(pictures.target.identities) & set(pictures.query.identities)
    assert pictures.links.tracklets.tolist() == list(range(72))  # labels make no tracklets
    with pytest.raises(ConfigError, match=r"4 identities of evaluation are in data, too, such as 0"):
        load(config(*judged, "data.split=all"))


def test_the_same_data_by_another_path_is_known_again(config, judged, people, tmp_path):
    (tmp_path / "link").symlink_to(people)
    with pytest.raises(ConfigError, match="identities of evaluation are in data"):
        load(config(*judged, "data.split=all", f"data.root={tmp_path / 'link'}"))


def test_copied_pictures_are_known_again(config, judged, people, tmp_path):
    shutil.copytree(people / "bounding_box_train", tmp_path / "loose")
    with pytest.raises(
        ConfigError, match=r"the picture .*0000_c1.* of evaluation is in data, too, as 0000_c1"
    ):
        load(config(*judged, "data.dataset=unlabelled", "data.split=all", f"data.root={tmp_path / 'loose'}"))


def test_pictures_of_the_target_are_no_source(config, people):
    source = ("source.dataset=market1501", f"source.root={people}")
    with pytest.raises(
        ConfigError, match=r"of source is in data, too, as .*: it would be learnt by label and"
    ):
        load(config(*source, "source.split=all"))


def test_the_source_is_looked_at_too(config, judged, people):
    with pytest.raises(ConfigError, match="4 identities of evaluation are in source, too"):
        load(config(*judged, "source.dataset=market1501", f"source.root={people}", "source.split=all"))
