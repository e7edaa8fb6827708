"""Which topic was probably meant, where nobody publishes the one a node listens to; no ROS needed."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from rtreid_ros.nodes.lookout.connections import GraphFacts

RAW, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
_OURS = "rtreid_ros/msg/"
_MEANINGS = {"detections", "embeddings", "tracks", "ground_truth", "global_tracks", "tracks_3d"}
"""Last words of our own topics: the same type, but something else."""
_OTHER_PICTURES = {"depth", "disparity", "infra", "infra1", "infra2", "mask", "confidence"}
_SIMILAR = 0.6
_MOST = 3


def likely_sources(topic: str, kind: str, facts: GraphFacts) -> list[str]:
    """Topics of type `kind` with a publisher that may be meant by `topic`; one where that is clear.

    Several, three at most, where they are equally likely. What is made of the silent topic itself
    (its publishers all subscribe to it) is no candidate.
    """
    fed = {end.node for end in facts.subscribers_of(topic)}
    candidates = {
        other: _likeness(topic, other)
        for other, ends in sorted(facts.publishers.items())
        if other != topic
        and any(end.type == kind and end.node not in fed for end in ends)
        and (not kind.startswith(_OURS) or _same_meaning(topic, other))
    }
    if not candidates:
        return []
    best = max(candidates.values())
    chosen = [other for other, likeness in candidates.items() if likeness == best]
    return chosen[:_MOST] if best >= _SIMILAR or len(candidates) == 1 else list(candidates)[:_MOST]


def _same_meaning(topic: str, other: str) -> bool:
    leaf = other.rpartition("/")[2]
    return leaf == topic.rpartition("/")[2] or leaf not in _MEANINGS


def _likeness(topic: str, other: str) -> float:
    """From 0 to 1: the share of our words found in the other name, or how alike the spelling is."""
    ours, theirs = _words(topic), _words(other)
    if (theirs - ours) & _OTHER_PICTURES:
        return 0.0
    shared = len(ours & theirs) / max(1, len(ours))
    return max(shared, SequenceMatcher(None, topic, other).ratio())


def _words(topic: str) -> set[str]:
    return {word for word in re.split(r"[/_]+", topic) if word}
