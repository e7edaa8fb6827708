"""Why a topic stays silent: judged on facts, and said by real nodes in real graphs."""

import numpy as np
import pytest
from support.models import constant_detector
from support.waiting import until

from rtreid_ros.nodes.graph import NodeSpec
from rtreid_ros.nodes.lookout.connections import Endpoint, GraphFacts
from rtreid_ros.nodes.lookout.explanation import Inlet, explain
from rtreid_ros.nodes.lookout.remaps import likely_sources

IMAGE, JPEG = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
DETECTIONS, TRACKS = "rtreid_ros/msg/DetectionArray", "rtreid_ros/msg/TrackArray"


def facts(publishers=(), subscribers=(), states=None, nodes=None):
    """Facts from ``(topic, node, type)``, with policies behind where they matter."""

    def by_topic(ends):
        found = {}
        for topic, *end in ends:
            found.setdefault(topic, ())
            found[topic] += (Endpoint(*end),)
        return found

    names = {end[1] for end in (*publishers, *subscribers)} if nodes is None else nodes
    place = "ROS_DOMAIN_ID 7, discovery range SUBNET"
    return GraphFacts(tuple(sorted(names)), by_topic(publishers), by_topic(subscribers), states or {}, place)


def inlet(name="image", kind=IMAGE, namespace="", node="/detector_node", **policies):
    return Inlet(f"{namespace}/{name}", name, Endpoint(f"{namespace}{node}", kind, **policies))


def why(silent, *arguments, before=False, **named):
    found = explain(silent, facts(*arguments, **named), before=before)
    assert "\n" not in found.text
    return found.reason, found.text


# ------------------------------------------------------------------------- another type


def test_compressed_images_on_the_raw_topic_are_told_by_transport():
    reason, text = why(inlet(), [("/image", "/camera", JPEG)])
    assert reason == "type"
    assert f"/camera publishes {JPEG} there, /detector_node takes {IMAGE}" in text
    assert text.endswith("Set on /detector_node: -p image_transport:=compressed -r image/compressed:=/image")


def test_raw_images_on_the_compressed_topic_are_told_by_transport():
    silent = inlet("image/compressed", JPEG)
    _, text = why(silent, [("/image/compressed", "/camera", IMAGE)])
    assert text.endswith("-p image_transport:=raw -r image:=/image/compressed")


def test_another_type_names_both_and_the_topic_that_has_ours():
    publishers = [
        ("/image", "/lidar", "sensor_msgs/msg/PointCloud2"),
        ("/camera/image_raw", "/camera", IMAGE),
    ]
    reason, text = why(inlet(), publishers)
    assert reason == "type"
    assert "/lidar publishes sensor_msgs/msg/PointCloud2" in text
    assert text.endswith("-r image:=/camera/image_raw")


def test_another_type_without_alternative_asks_for_another_name():
    _, text = why(inlet(), [("/image", "/lidar", "sensor_msgs/msg/PointCloud2")])
    assert text.endswith("-r image:=<topic>")


# --------------------------------------------------------------------------------- QoS


def test_incompatible_qos_gives_both_profiles_and_the_parameter():
    silent = inlet(reliability="reliable")
    reason, text = why(silent, [("/image", "/camera", IMAGE, "best_effort", "volatile")])
    assert reason == "qos"
    assert "Ours (subscription): reliable, volatile; theirs: /camera (best_effort, volatile)" in text
    assert "-p qos_overrides./image.subscription.reliability:=best_effort" in text


def test_one_publisher_that_fits_is_enough_and_the_other_is_not_blamed():
    silent = inlet(durability="transient_local")
    publishers = [
        ("/image", "/a", IMAGE, "reliable", "volatile"),
        ("/image", "/b", IMAGE, "reliable", "transient_local"),
    ]
    assert why(silent, publishers)[0] == "quiet"
    assert "/b publishes it but has sent nothing" in why(silent, publishers)[1]
    assert why(silent, publishers[:1])[0] == "qos"


# ------------------------------------------------------------- a publisher that sends nothing


def test_a_quiet_publisher_is_named():
    reason, text = why(inlet(), [("/image", "/camera", IMAGE)])
    assert reason == "quiet"
    assert "/camera publishes it but has sent nothing" in text
    assert "sends nothing any more" in why(inlet(), [("/image", "/camera", IMAGE)], before=True)[1]


def test_a_publisher_that_waits_itself_says_what_for():
    silent = inlet("detections", DETECTIONS, node="/embedder_node")
    publishers = [("/detections", "/detector_node", DETECTIONS)]
    subscribers = [("/image", "/detector_node", IMAGE), ("/detections", "/embedder_node", DETECTIONS)]
    _, text = why(silent, publishers, subscribers)
    assert text.endswith("/detector_node itself waits for /image, which has no publisher")
    wrong = [*publishers, ("/image", "/camera", JPEG)]
    assert why(silent, wrong, subscribers)[1].endswith("which has a publisher of another type")


def test_tracks_that_come_back_as_a_hint_are_nothing_to_wait_for():
    publishers = [("/embeddings", "/embedder_node", DETECTIONS), ("/image", "/camera", IMAGE)]
    subscribers = [("/image", "/embedder_node", IMAGE), ("/tracks", "/embedder_node", TRACKS)]
    silent = inlet("embeddings", DETECTIONS, node="/tracker_node")
    assert "itself waits" not in why(silent, publishers, subscribers)[1]
    only_tracks = [("/tracks", "/gallery_node", TRACKS)]
    silent = inlet("global_tracks", TRACKS, node="/robot")
    _, text = why(silent, [("/global_tracks", "/gallery_node", TRACKS)], only_tracks)
    assert text.endswith("/gallery_node itself waits for /tracks, which has no publisher")


def test_two_nodes_that_wait_for_each_other_are_no_endless_story():
    publishers = [("/image", "/source_node", IMAGE), ("/tracks", "/tracking_node", TRACKS)]
    subscribers = [("/tracks", "/source_node", TRACKS), ("/image", "/tracking_node", IMAGE)]
    silent = inlet(node="/tracking_node")
    assert "/source_node publishes it but has sent nothing" in why(silent, publishers, subscribers)[1]


def test_a_publisher_that_is_not_active_says_how_to_wake_it():
    _, text = why(inlet(), [("/image", "/camera", IMAGE)], states={"/camera": "inactive"})
    assert text.endswith("/camera is inactive: ros2 lifecycle set /camera activate")


# ------------------------------------------------------------------------------ nobody


def test_the_only_topic_of_the_type_is_the_likely_one():
    reason, text = why(inlet(), [("/realsense/color", "/camera", IMAGE)])
    assert reason == "nobody"
    assert text.endswith(f"/realsense/color has {IMAGE}. Set on /detector_node: -r image:=/realsense/color")


def test_the_remap_begins_with_the_nodes_own_name_for_the_topic():
    _, text = why(inlet(namespace="/front"), [("/front/camera/image_raw", "/camera", IMAGE)])
    assert "nobody publishes it" in text
    assert text.endswith("-r image:=/front/camera/image_raw")


def test_only_compressed_images_elsewhere_mean_transport_and_remap():
    _, text = why(inlet(), [("/camera/image_raw/compressed", "/camera", JPEG)])
    assert "-p image_transport:=compressed -r image/compressed:=/camera/image_raw/compressed" in text
    _, text = why(inlet(), [("/image/compressed", "/camera", JPEG)])
    assert text.endswith("-p image_transport:=compressed")


def test_several_equally_likely_topics_are_all_named():
    _, text = why(inlet(), [("/left/image_raw", "/a", IMAGE), ("/right/image_raw", "/b", IMAGE)])
    assert text.endswith(
        f"/left/image_raw, /right/image_raw have {IMAGE}. Set on /detector_node: -r image:=<one of them>"
    )


def test_detections_are_not_taken_for_embeddings_but_for_those_of_another_namespace():
    silent = inlet("embeddings", DETECTIONS, node="/tracker_node")
    _, text = why(silent, [("/detections", "/detector_node", DETECTIONS)])
    assert "embedder_node does that: is it running" in text
    assert "-r" not in text
    _, text = why(silent, [("/front/embeddings", "/front/embedder_node", DETECTIONS)])
    assert text.endswith("-r embeddings:=/front/embeddings")


def test_a_managed_node_that_sleeps_is_mentioned_with_its_command():
    silent = inlet("detections", DETECTIONS, node="/embedder_node")
    _, text = why(silent, states={"/detector_node": "unconfigured"}, nodes=["/detector_node"])
    command = "ros2 lifecycle set /detector_node configure && ros2 lifecycle set /detector_node activate"
    assert text.endswith(f"/detector_node is unconfigured: {command}")


def test_a_publisher_that_has_gone_is_told_from_one_that_never_was():
    assert "nobody publishes it any more" in why(inlet(), nodes=["/other"], before=True)[1]
    assert "any more" not in why(inlet(), nodes=["/other"])[1]


def test_an_empty_graph_speaks_of_domain_and_range():
    _, text = why(inlet(), nodes=["/detector_node"])
    assert "No other node is visible in ROS_DOMAIN_ID 7, discovery range SUBNET" in text


def test_without_any_candidate_the_missing_type_is_named():
    _, text = why(inlet(), [("/scan", "/lidar", "sensor_msgs/msg/LaserScan")])
    assert f"No topic in ROS_DOMAIN_ID 7, discovery range SUBNET has {IMAGE}" in text


# ------------------------------------------------------------------------ likely remaps


@pytest.mark.parametrize(
    ("topic", "others", "expected"),
    [
        ("/image", ["/camera/color/image_raw", "/camera/depth/image_rect_raw"], ["/camera/color/image_raw"]),
        (
            "/depth",
            ["/camera/color/image_raw", "/camera/depth/image_rect_raw"],
            ["/camera/depth/image_rect_raw"],
        ),
        ("/image", ["/imgae", "/map_picture"], ["/imgae"]),
        ("/image", ["/front/image_raw", "/rear/image_raw"], ["/front/image_raw", "/rear/image_raw"]),
        ("/front/image", ["/front/image_raw", "/rear/image_raw"], ["/front/image_raw"]),
        ("/image", [], []),
    ],
)
def test_the_most_alike_topic_is_meant(topic, others, expected):
    known = facts([(other, "/camera", IMAGE) for other in others])
    assert likely_sources(topic, IMAGE, known) == expected


def test_what_is_made_of_the_silent_topic_is_not_meant():
    known = facts([("/annotated", "/visualizer_node", IMAGE)], [("/image", "/visualizer_node", IMAGE)])
    assert likely_sources("/image", IMAGE, known) == []


def test_a_busy_node_is_not_taken_for_a_missing_one():
    silent = inlet("detections", DETECTIONS, node="/embedder_node")
    _, text = why(silent, states={"/detector_node": "busy"}, nodes=["/detector_node"])
    assert text.endswith("/detector_node does not answer: it is still starting, or stuck")


# ------------------------------------------------------------------------- in real graphs


@pytest.fixture
def detector(ros, tmp_path):
    """A node that finds nothing, quickly."""
    names = {"names": "{0: 'person'}", "task": "detect"}
    table = np.zeros((1, 5, 2100), np.float32)
    path = constant_detector(tmp_path / "nobody.onnx", table, metadata=names)
    return {"detector.model": str(path)}


def explanation(started, peer_values, node, topic):
    """What a node says of a silent topic, in its log and in /diagnostics alike."""
    values = until(lambda: peer_values(node).get(f"silence.{topic}") and peer_values(node), 20, "silence")
    assert values["message"].startswith(f"no data on {topic} for ")
    until(lambda: values[f"silence.{topic}"] in started.log(node), 5, "the same in the log")
    return values[f"silence.{topic}"]


def test_a_camera_under_another_name_is_proposed_and_data_ends_the_silence(graph, peer, detector):
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import Image

    latest = peer.diagnostics()
    camera = peer.node.create_publisher(Image, "/camera/image_raw", qos_profile_sensor_data)
    started = graph(NodeSpec("detector_node", parameters=detector))
    text = explanation(started, latest, "detector_node", "/image")
    assert "nobody publishes it" in text
    assert text.endswith("Set on /detector_node: -r image:=/camera/image_raw")

    remapped = {"image": "/camera/image_raw"}
    started.start(NodeSpec("detector_node", name="second", parameters=detector, remaps=remapped))
    until(lambda: camera.get_subscription_count() == 1, 20, "the remapped node")
    late = peer.publisher(Image, "image", qos_profile_sensor_data)
    message = Image(height=8, width=8, encoding="mono8", step=8, data=bytes(64))
    stamps = iter(range(1, 10**6))

    def heard():
        message.header.stamp.sec = next(stamps)
        late.publish(message)
        return "data comes on /image" in started.log("detector_node")

    until(heard, 10, "the end of the silence")
    until(lambda: "silence./image" not in latest("detector_node"), 5, "the end in /diagnostics")


def test_a_publisher_that_vanishes_is_missed(graph, peer, detector):
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import Image

    latest = peer.diagnostics()
    started = graph(NodeSpec("detector_node", parameters=detector))
    started.wait_for_log("detector_node", "ready", 30)
    camera = peer.publisher(Image, "image", qos_profile_sensor_data)
    picture = Image(height=8, width=8, encoding="mono8", step=8, data=bytes(64))

    def arrives():  # best effort: the first after matching may get lost
        camera.publish(picture)
        return latest("detector_node").get("received", "0") != "0"

    until(arrives, 20, "an image")
    text = explanation(started, latest, "detector_node", "/image")
    assert text.startswith("no data on /image: /peer publishes it but sends nothing any more")
    peer.node.destroy_publisher(camera)
    until(lambda: "nobody publishes it any more" in started.log("detector_node"), 20, "a new explanation")
    assert started.log("detector_node").count("sends nothing any more") == 1


def test_compressed_images_on_the_raw_topic_are_noticed(graph, peer, detector):
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import CompressedImage

    latest = peer.diagnostics()
    peer.node.create_publisher(CompressedImage, "image", qos_profile_sensor_data)
    started = graph(NodeSpec("detector_node", parameters=detector))
    text = explanation(started, latest, "detector_node", "/image")
    assert "-p image_transport:=compressed -r image/compressed:=/image" in text


def test_incompatible_qos_is_said_at_once_and_only_once(graph, peer, detector):
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import Image

    latest = peer.diagnostics()
    peer.node.create_publisher(Image, "image", qos_profile_sensor_data)
    setting = {"qos_overrides./image.subscription.reliability": "reliable"}
    started = graph(NodeSpec("detector_node", parameters={**detector, **setting}))
    text = explanation(started, latest, "detector_node", "/image")
    assert "theirs: /peer (best_effort, volatile)" in text
    assert started.log("detector_node").count("incompatible QoS") == 1


def test_who_waits_for_whom_is_told_along_the_chain(graph, peer, detector):
    latest = peer.diagnostics()
    parameters = {"tracker.name": "bytetrack"}
    started = graph(
        NodeSpec("detector_node", parameters=detector), NodeSpec("tracker_node", parameters=parameters)
    )
    line = "/detector_node itself waits for /image, which has no publisher"
    until(lambda: line in latest("tracker_node").get("silence./detections", ""), 30, "the chain")
    until(lambda: line in started.log("tracker_node"), 10, "the chain in the log")


def test_a_node_that_is_not_active_is_named_with_the_command(graph, peer, detector):
    latest = peer.diagnostics()
    graph(
        NodeSpec("detector_node", parameters={**detector, "autostart": False}),
        NodeSpec("tracker_node", parameters={"tracker.name": "bytetrack"}),
    )
    line = "/detector_node is unconfigured: ros2 lifecycle set /detector_node configure"
    until(lambda: line in latest("tracker_node").get("silence./detections", ""), 30, "the state")


def test_a_node_alone_speaks_of_the_domain(graph, peer, domain_id, tmp_path):
    started = graph(NodeSpec("tracker_node"))
    until(lambda: "no data on /embeddings" in started.log("tracker_node"), 30, "an explanation")
    log = started.log("tracker_node")
    assert "embedder_node does that: is it running" in log
    assert f"ROS_DOMAIN_ID {domain_id}, discovery range LOCALHOST" in log
