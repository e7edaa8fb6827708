"""Trackers of ours and of other packages behind one interface, on the defaults each ships.

The peers are optional (``pip install '.[peers]'``, an environment of its own is best: boxmot and
ultralytics are AGPL-3.0 and bring torch). Each gets the same detections, embeddings and camera
motion; where it wants a picture, a black one. What a peer has to convert before its `update` is
not on its bill.
"""

from __future__ import annotations

import logging
import warnings

from bench.peers.base import Conditions, Implementation, Session
from bench.peers.boxmot import Boxmot
from bench.peers.ours import Ours
from bench.peers.roboflow import Roboflow
from bench.peers.ultralytics import Ultralytics

__all__ = [
    "IMPLEMENTATIONS",
    "OURS",
    "PEERS",
    "REVISION",
    "Conditions",
    "Implementation",
    "Ours",
    "Session",
    "quiet",
]

REVISION = 1
"""To be raised when something else is given to a peer, so that kept figures are measured again."""
OURS = Ours.title
IMPLEMENTATIONS: dict[str, type[Implementation]] = {
    item.title: item for item in (Ours, Boxmot, Roboflow, Ultralytics)
}
PEERS = tuple(name for name in IMPLEMENTATIONS if name != OURS)


def quiet() -> None:
    """Keep chatter out of tables."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
