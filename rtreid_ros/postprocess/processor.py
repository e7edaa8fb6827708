"""The steps in their order: link tracklets, then fill the gaps that are left inside tracks."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rtreid_ros.errors import ConfigError
from rtreid_ros.postprocess.aflink.linking import Gates, link_tracks
from rtreid_ros.postprocess.aflink.model import LinkModel
from rtreid_ros.postprocess.interpolation import interpolate_gaussian, interpolate_linear
from rtreid_ros.postprocess.options import REFERENCE_SIZE, PostprocessOptions

if TYPE_CHECKING:
    from rtreid_ros.evaluation.mot_text import MotTable


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to one table: tracks before and after, links made, boxes before and filled in."""

    tracks: int
    links: int
    boxes: int
    filled: int

    @property
    def tracks_left(self) -> int:
        """Every link makes one track of two."""
        return self.tracks - self.links


class Postprocessor:
    """Links and interpolates result tables (StrongSORT++; Du et al., 2023, sections 3.3 and 3.4).

    Raises:
        ConfigError: the options ask for nothing, or the size is none.
        ModelError: the link model is missing or no link model.
    """

    def __init__(self, options: PostprocessOptions) -> None:
        if not options.link and options.interpolate == "none":
            raise ConfigError("nothing to do: neither linking nor interpolation is asked for")
        self.options = options
        self._size = parse_size(options.size)
        self._model = LinkModel(options.link_model) if options.link else None

    def __call__(
        self,
        table: MotTable,
        *,
        frame_rate: float | None = None,
        size: tuple[int, int] | None = None,
    ) -> tuple[MotTable, Change]:
        """The processed table and what changed.

        Args:
            table: results of one sequence, one box per id and frame.
            frame_rate: of this sequence, frames per second; None = that of the options.
            size: of this sequence's images, width and height; None = that of the options.

        Raises:
            InputError: an id occurs twice in a frame.
        """
        options = self.options
        before, tracks, links = len(table), len(np.unique(table.ids)), 0
        if self._model is not None:
            reach = options.link_distance * math.hypot(*(size or self._size or _extent(table)))
            gates = Gates(options.link_time, reach / math.hypot(*REFERENCE_SIZE), options.link_confidence)
            linked = link_tracks(table, self._model, gates, frame_rate or options.frame_rate)
            table, links = linked.table, len(linked.links)
        linked_boxes = len(table)
        if options.interpolate == "linear":
            table = interpolate_linear(table, options.max_gap)
        elif options.interpolate == "gaussian":
            table = interpolate_gaussian(table, options.max_gap, options.tau)
        return table, Change(tracks, links, before, len(table) - linked_boxes)


def parse_size(text: str) -> tuple[int, int] | None:
    """Width and height of ``1920x1080``, None of an empty text.

    Raises:
        ConfigError: anything else.
    """
    if not text:
        return None
    found = re.fullmatch(r"(\d+)[xX](\d+)", text.strip())
    if found is None or not min(int(found[1]), int(found[2])):
        raise ConfigError(f"size must be width and height in pixels, such as 1920x1080, got {text!r}")
    return int(found[1]), int(found[2])


def _extent(table: MotTable) -> tuple[float, float]:
    """How far boxes reach, for want of the image's size."""
    if not len(table):
        return REFERENCE_SIZE
    right, bottom = (table.boxes[:, :2] + table.boxes[:, 2:]).max(axis=0).tolist()
    return max(right, 1.0), max(bottom, 1.0)
