"""The page that lists networks and losses."""

import re
from pathlib import Path

from rtreid_ros.reid.losses import LOSSES
from rtreid_ros.reid.models import MODELS

PAGE = (Path(__file__).parents[3] / "docs" / "reid.md").read_text()


def test_all_networks_and_losses_are_listed():
    named = set(re.findall(r"`(\w+)`", PAGE))
    ranges = (
        (r"osnet_x\d_\d+", "osnet_x0_25"),
        (r"osnet_ain_x.*", "osnet_ain_x1_0"),
        (r"resnet3d_\d+", "resnet3d_10"),
    )
    for name in MODELS:
        ends = next((end for pattern, end in ranges if re.fullmatch(pattern, name)), name)
        assert ends in named, name
    assert set(LOSSES) <= named
