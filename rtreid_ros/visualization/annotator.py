"""Boxes, ids, trails and a few lines of text on an image."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rtreid_ros.options import option
from rtreid_ros.types import TrackState
from rtreid_ros.visualization.colours import colour_of
from rtreid_ros.visualization.labels import Label, id_labels
from rtreid_ros.visualization.trails import Trails

if TYPE_CHECKING:
    from rtreid_ros.types import Float32, Tracks, UInt8

Colour = tuple[int, int, int]

_FONT = cv2.FONT_HERSHEY_DUPLEX
_DARK: Colour = (28, 24, 20)
_LIGHT: Colour = (245, 245, 245)
_SUBPIXEL = 4  # bits after the point in OpenCV's drawing coordinates
_FAR = 1 << 14  # beyond this OpenCV's fixed-point coordinates would overflow


@dataclass(frozen=True, slots=True)
class VisualizationOptions:
    """What is drawn."""

    trail: float = option(1.5, "length of the trails behind the feet, seconds; 0 = none", ge=0, le=60)
    show_lost: bool = option(False, "also draw tracks whose box is only predicted, dashed", live=True)
    show_scores: bool = option(False, "write each track's score beside its id", live=True)
    hud: bool = option(True, "write frame, time and counts into the corner", live=True)


class Annotator:
    """Draws the tracks of consecutive frames; remembers only their trails.

    Sizes follow the image's height, so that 480 and 2160 lines look alike.

    Attributes:
        options: what is drawn; may be replaced between frames, but for the length of the trails.
    """

    def __init__(self, options: VisualizationOptions | None = None) -> None:
        self.options = options or VisualizationOptions()
        self.trails = Trails(self.options.trail)

    def draw(
        self,
        image: UInt8,
        tracks: Tracks,
        stamp_ns: int,
        hud: Sequence[str] = (),
        labels: Sequence[Label] | None = None,
    ) -> UInt8:
        """A copy of `image` with the tracks on it.

        Args:
            image: ``(H, W, 3) uint8`` BGR; it is not changed.
            tracks: of this image. Tentative ones are not drawn.
            stamp_ns: time of the image, for the trails.
            hud: lines for the corner; left out where the options say so.
            labels: what to write and which colour to take, row by row; the ids unless given.
        """
        named = dict(zip(tracks.ids.tolist(), labels or id_labels(tracks), strict=True))
        confirmed = tracks[tracks.states == TrackState.CONFIRMED]
        canvas = np.array(image, np.uint8, order="C")
        scale = max(canvas.shape[0] / 480, 0.5)
        if self.options.trail > 0:
            self.trails.add(confirmed, stamp_ns)
            self._draw_trails(canvas, confirmed, named, scale)
        if self.options.show_lost:
            lost = tracks[tracks.states == TrackState.LOST]
            for identity, box in zip(lost.ids.tolist(), lost.boxes.tolist(), strict=True):
                _dashed(canvas, box, colour_of(named[identity].key), scale)
        # nearer people are lower in the picture and cover others; labels cover all boxes
        order = np.argsort(confirmed.boxes[:, 3], kind="stable")
        visible = [row for row in order if _touches(confirmed.boxes[row], canvas)]
        for row in visible:
            _box(canvas, confirmed.boxes[row].tolist(), colour_of(named[int(confirmed.ids[row])].key), scale)
        for row in visible:
            label = named[int(confirmed.ids[row])]
            text = label.text
            if self.options.show_scores:
                text += f" {confirmed.scores[row]:.2f}"
            x, y = confirmed.boxes[row, :2].tolist()
            _chip(canvas, text, x, y, colour_of(label.key), scale)
        if self.options.hud and hud:
            _hud(canvas, hud, scale)
        return canvas

    def _draw_trails(self, canvas: UInt8, tracks: Tracks, named: dict[int, Label], scale: float) -> None:
        """Lines that thin out towards the past, half transparent."""
        layer = canvas.copy()
        for identity in tracks.ids.tolist():
            points = self.trails.of(identity)
            colour = colour_of(named[identity].key)
            line = np.array([_fixed(x, y) for _, (x, y) in points], np.int32)
            widths = [max(1, round((1 - age) * 3.5 * scale)) for age, _ in points[:-1]]
            for width, group in itertools.groupby(range(len(widths)), widths.__getitem__):
                segments = list(group)  # segment k leads from point k to point k + 1
                part = line[segments[0] : segments[-1] + 2]
                cv2.polylines(layer, [part], False, colour, width, cv2.LINE_AA, _SUBPIXEL)
        cv2.addWeighted(layer, 0.65, canvas, 0.35, 0, dst=canvas)


def _fixed(x: float, y: float) -> tuple[int, int]:
    """A point in OpenCV's fixed-point coordinates, kept within what they can hold."""
    unit = 1 << _SUBPIXEL
    return round(min(max(x, -_FAR), _FAR) * unit), round(min(max(y, -_FAR), _FAR) * unit)


def _touches(box: Float32, canvas: UInt8) -> bool:
    """Whether any of the box is inside; the label of one outside would be pushed to the edge."""
    height, width = canvas.shape[:2]
    return bool(box[2] > 0 and box[3] > 0 and box[0] < width and box[1] < height)


def _box(canvas: UInt8, box: list[float], colour: Colour, scale: float) -> None:
    x1, y1, x2, y2 = box
    corner, opposite = _fixed(x1, y1), _fixed(x2, y2)
    width = max(1, round(1.6 * scale))
    # a dark line beneath keeps the box visible on any background
    cv2.rectangle(canvas, corner, opposite, _DARK, width + max(2, round(1.2 * scale)), cv2.LINE_AA, _SUBPIXEL)
    cv2.rectangle(canvas, corner, opposite, colour, width, cv2.LINE_AA, _SUBPIXEL)


def _dashed(canvas: UInt8, box: list[float], colour: Colour, scale: float) -> None:
    x1, y1, x2, y2 = box
    corners = [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]
    dash, width = 6 * scale, max(1, round(scale))
    for (ax, ay), (bx, by) in zip(corners, [*corners[1:], corners[0]], strict=True):
        length = min(max(abs(bx - ax), abs(by - ay)), float(_FAR))
        count = max(int(length / (2 * dash)), 1)
        for k in range(count):
            s, e = k / count, (k + 0.5) / count
            start, end = (ax + s * (bx - ax), ay + s * (by - ay)), (ax + e * (bx - ax), ay + e * (by - ay))
            cv2.line(canvas, _fixed(*start), _fixed(*end), colour, width, cv2.LINE_AA, _SUBPIXEL)


def _chip(canvas: UInt8, label: str, x: float, y: float, colour: Colour, scale: float) -> None:
    """A label on its track's colour above the box, moved inside the image where it would stick out."""
    size, pad = 0.42 * scale, round(3 * scale)
    (width, height), _ = cv2.getTextSize(label, _FONT, size, 1)
    left = int(min(max(x, 0), max(canvas.shape[1] - width - 2 * pad, 0)))
    bottom = int(min(max(y, height + 2 * pad), canvas.shape[0]))
    cv2.rectangle(
        canvas, (left, bottom - height - 2 * pad), (left + width + 2 * pad, bottom), colour, cv2.FILLED
    )
    luma = 0.114 * colour[0] + 0.587 * colour[1] + 0.299 * colour[2]
    ink = _DARK if luma > 120 else _LIGHT
    thickness = max(1, round(scale * 0.8))
    cv2.putText(canvas, label, (left + pad, bottom - pad), _FONT, size, ink, thickness, cv2.LINE_AA)


def _hud(canvas: UInt8, lines: Sequence[str], scale: float) -> None:
    """Light text on a darkened panel in the upper left corner."""
    size, pad = 0.42 * scale, round(6 * scale)
    thickness = max(1, round(scale * 0.8))
    extents = [cv2.getTextSize(line, _FONT, size, thickness)[0] for line in lines]
    step = round(1.7 * max(height for _, height in extents))
    width = max(width for width, _ in extents) + 2 * pad
    height = step * len(lines) + pad
    panel = canvas[pad : pad + height, pad : pad + width]
    panel[:] = panel // 3 + np.array(_DARK, np.uint8) // 2
    for number, line in enumerate(lines, start=1):
        position = (2 * pad, pad + number * step)
        cv2.putText(canvas, line, position, _FONT, size, _LIGHT, thickness, cv2.LINE_AA)
