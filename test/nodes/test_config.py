from pathlib import Path

import pytest
import yaml

from rtreid_ros.nodes.config import config_files, main
from rtreid_ros.nodes.options import NODES
from rtreid_ros.tracking import TRACKERS

CONFIG = Path(__file__).parents[2] / "config"


@pytest.mark.parametrize("name", sorted(config_files()))
def test_config_files_are_those_the_options_give(name):
    message = f"config/{name} is out of date: run `python -m rtreid_ros.nodes.config`"
    assert (CONFIG / name).read_text(encoding="utf-8") == config_files()[name], message


def test_no_file_of_a_tracker_that_is_gone_stays():
    assert {path.stem for path in (CONFIG / "trackers").glob("*.yaml")} == set(TRACKERS)


@pytest.mark.parametrize("kind", sorted(NODES))
def test_yaml_holds_every_default_with_its_type(kind):
    values = yaml.safe_load(config_files()[f"{kind}.yaml"])["/**"]["ros__parameters"]
    for name, item in NODES[kind].options():
        value = values
        for part in name.split("."):
            value = value[part]
        expected = (list(item.default) or [""]) if item.kind is tuple else item.default
        assert value == expected
        assert type(value) is type(expected)


def test_every_node_is_an_entry_point_of_the_package():
    lines = (CONFIG.parent / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    nodes = {line.split()[0] for line in lines if "rtreid_ros.nodes." in line}
    assert nodes == set(NODES)


def test_the_command_writes_every_file(tmp_path, capsys):
    assert main([str(tmp_path)]) == 0
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.yaml")}
    assert written == set(config_files())
