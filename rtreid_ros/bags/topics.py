"""The topics of a bag, and which of them belong to one camera."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rtreid_ros.bags.definitions import COMPRESSED_IMAGE, IMAGE
from rtreid_ros.errors import MissingDependencyError, SourceError
from rtreid_ros.registry import suggest

IMAGE_TYPES = (IMAGE, COMPRESSED_IMAGE)
COMPRESSED = "/compressed"
"""What the topic of compressed images ends in."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of a bag: its name, message type and number of messages."""

    name: str
    kind: str
    count: int


def recorded_topics(path: str | Path) -> dict[str, Topic]:
    """The topics of a bag by name, by its metadata alone where it has any; that needs no ``rosbags``.

    Raises:
        SourceError: nothing there, or not a readable bag.
        MissingDependencyError: there is no metadata and no ``rosbags``.
    """
    import yaml  # noqa: PLC0415 (only here)

    metadata = Path(path) / "metadata.yaml"
    if not metadata.is_file():
        return _topics_by_reading(path)
    try:
        content = yaml.safe_load(metadata.read_text(encoding="utf-8"))
        rows = content["rosbag2_bagfile_information"]["topics_with_message_count"]
        topics = [
            Topic(row["topic_metadata"]["name"], row["topic_metadata"]["type"], row["message_count"])
            for row in rows
        ]
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError) as error:
        raise SourceError(f"{metadata}: no metadata of a rosbag2 ({error})") from None
    return {topic.name: topic for topic in topics}


def _topics_by_reading(path: str | Path) -> dict[str, Topic]:
    from rtreid_ros.bags.reader import BagReader  # noqa: PLC0415 (it imports this)

    try:
        with BagReader(path) as reader:
            return dict(reader.topics)
    except ImportError:
        raise MissingDependencyError(
            f"{path} has no metadata.yaml, and without it reading needs rosbags: pip install rosbags"
        ) from None


def listing(topics: Mapping[str, Topic]) -> str:
    """The topics with their types, a line each, for messages."""
    lines = [f"\n  {topic.name}  ({topic.kind})" for _, topic in sorted(topics.items())]
    return "".join(lines) or " none"


def image_topic(topics: Mapping[str, Topic], name: str, path: Path) -> Topic:
    """The image topic of that name.

    Raises:
        SourceError: it is not there, or carries something else; those that are there are listed.
    """
    if name not in topics:
        hint = suggest(name, list(topics))
        raise SourceError(f"{path}: no topic {name!r}{hint}; topics in this bag:{listing(topics)}")
    if topics[name].kind not in IMAGE_TYPES:
        raise SourceError(f"{path}: topic {name} is no image; topics in this bag:{listing(topics)}")
    return topics[name]


def image_topics(topics: Mapping[str, Topic]) -> list[Topic]:
    """All topics of images; of those that come raw and compressed the raw one."""
    images = {name: topic for name, topic in topics.items() if topic.kind in IMAGE_TYPES}
    double = {
        name for name in images if name.endswith(COMPRESSED) and name.removesuffix(COMPRESSED) in images
    }
    return [topic for name, topic in sorted(images.items()) if name not in double]


def namespace_of(image: str) -> str:
    """The namespace of an image topic."""
    return image.removesuffix(COMPRESSED).rpartition("/")[0]


def companion(
    topics: Mapping[str, Topic], image: str, kind: str, end: str, *, alone: bool, shared: bool = False
) -> str | None:
    """The topic called `end` that belongs to the camera of an image topic; None without any.

    Args:
        topics: of the bag.
        image: topic of the images.
        kind: type of the messages wanted.
        end: last part of the topic's name.
        alone: there is no other camera, so that it may also lie in another namespace.
        shared: other cameras have the same namespace, so that what is there belongs to none.
    """
    there = [topic.name for topic in topics.values() if topic.kind == kind]
    exact = f"{namespace_of(image)}/{end}"
    if exact in there and not shared:
        return exact
    named = [name for name in there if name.rpartition("/")[2] == end]
    return named[0] if alone and len(named) == 1 else None
