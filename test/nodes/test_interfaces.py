"""What `--help` says of topics and services is what nodes have."""

import pytest

from rtreid_ros.nodes.interfaces import INTERFACES
from rtreid_ros.nodes.main import help_text
from rtreid_ros.nodes.options import NODES
from rtreid_ros.tracking import TRACKERS

SETTINGS = {
    "source_node": [{"source": "synthetic:frames=2", "lossless": True}],
    "tracker_node": [{}, {"tracker.name": "bytetrack"}],
    "vision_msgs_node": [{"external": True}, {"external": True, "size_from": "image"}],
    "recorder_node": [{"bag": True, "video": True, "trace": True}],
}
"""Parameters with which nodes have all their topics, together."""
NEEDS_PACKAGES = {"/tf", "/tf_static"}


@pytest.mark.parametrize("kind", sorted(INTERFACES))
def test_the_topics_and_services_are_those_a_node_has(kind, make_node, quick_models, tmp_path):
    if kind == "vision_msgs_node":
        pytest.importorskip("vision_msgs")
    subscribed, published, services = set(), set(), set()
    models = {name: value for group in quick_models.values() for name, value in group.items()}
    own = {name: value for name, value in models.items() if name.partition(".")[0] in NODES[kind].groups}
    if kind in ("recorder_node", "evaluator_node"):
        own["output"] = str(tmp_path / "out")
    for setting in SETTINGS.get(kind, [{}]):
        node = make_node(kind, {**own, **setting})
        assert node.start()
        subscribed |= {name.removeprefix("/") for name in node.inputs}
        published |= {name.removeprefix("/") for name in node.outputs}
        services |= {service.service_name for service in node.services}
    interface = INTERFACES[kind]
    assert subscribed == {*interface.subscribes} - NEEDS_PACKAGES
    assert published == {*interface.publishes} - NEEDS_PACKAGES
    assert {f"/{kind}{name.removeprefix('~')}" for name in interface.services} == {
        name for name in services if name.endswith(("/reset", "/snapshot"))
    }


@pytest.mark.parametrize("kind", sorted(NODES))
def test_help_lists_topics_services_and_every_parameter(kind):
    text = help_text(kind)
    assert NODES[kind].summary in text
    for name, item in NODES[kind].options():
        assert f"  {name} [" in text
        assert item.help in text
    interface = INTERFACES[kind]
    for names in (interface.subscribes, interface.publishes, interface.services):
        for name, what in names.items():
            assert f"  {name}  {what}" in text


@pytest.mark.parametrize("name", sorted(TRACKERS))
def test_help_lists_the_options_of_the_tracker_that_is_named(name, monkeypatch, capsys):
    from rtreid_ros.nodes.main import run

    arguments = ["tracker_node", "--ros-args", "-p", f"tracker.name:={name}", "--help"]
    monkeypatch.setattr("sys.argv", arguments)
    assert run(None, "tracker_node") == 0
    text = capsys.readouterr().out
    for option, item in NODES["tracker_node"].options(name):
        assert f"  {option} [" in text
        assert item.help in text
    for other in set(TRACKERS) - {name}:
        assert other in text.partition("parameters:")[2]
