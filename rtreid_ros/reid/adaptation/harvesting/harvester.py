"""A sink that keeps good crops of every track."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from rtreid_ros.boxes import iou
from rtreid_ros.closing import Closing
from rtreid_ros.reid.adaptation.harvesting.album import Album, Crop
from rtreid_ros.reid.adaptation.harvesting.judging import overlaps, presentable, quality
from rtreid_ros.reid.crops import cut, pixel_boxes

if TYPE_CHECKING:
    from rtreid_ros.pipeline import FrameResult
    from rtreid_ros.reid.adaptation.harvesting.options import HarvestOptions
    from rtreid_ros.reid.adaptation.harvesting.stock import Stock
    from rtreid_ros.types import Float32, UInt8

_SURELY_TWO = 0.3
"""Two tracks whose boxes overlap more (IoU) may be one person seen twice by the detector."""


class Harvester(Closing):
    """Takes the results of one camera; a `Sink`. Leaving it puts away the tracks that still live.

    Only confirmed tracks count, by the box of their detection, which lies closer than the filtered one.
    Memory holds the crops of living tracks, at most ``options.per_track`` each; whoever is gone for
    ``options.patience`` is written and forgotten.

    Args:
        stock: where crops go.
        camera: its name.
        options: which crops are kept.
    """

    def __init__(self, stock: Stock, camera: str, options: HarvestOptions) -> None:
        self._stock, self._camera, self._options = stock, stock.camera(camera), options
        self._albums: dict[int, Album] = {}

    def write(self, result: FrameResult) -> None:
        """Take in the result of the next frame."""
        options, tracks, now = self._options, result.tracks.confirmed(), result.frame.stamp_ns
        tracks = tracks[tracks.detection_index >= 0]
        detections = result.detections
        boxes, scores = detections.boxes[tracks.detection_index], detections.scores[tracks.detection_index]
        image = result.frame.image
        covered_by_any = overlaps(detections.boxes)[tracks.detection_index]
        good = presentable(boxes, scores, covered_by_any, (image.shape[0], image.shape[1]), options)
        worth = quality(scores, covered_by_any, boxes)
        self._note(tracks.ids.tolist(), boxes, now)
        for row in np.flatnonzero(good).tolist():
            album = self._albums[int(tracks.ids[row])]
            if album.wants(now, float(worth[row])):
                x1, y1, x2, y2 = boxes[row].tolist()
                crop = Crop(
                    self._cut(image, boxes[row : row + 1]),
                    *(result.frame.index, now, (x1, y1, x2, y2)),
                    *(float(scores[row]), float(covered_by_any[row]), float(worth[row])),
                )
                album.take(crop)
        over = now - round(options.patience * 1e9)
        for track in [track for track, album in self._albums.items() if album.seen_ns < over]:
            self._put_away(track)

    def _note(self, ids: list[int], boxes: Float32, now: int) -> None:
        """Who is seen, and beside whom."""
        beside = iou(boxes, boxes) < _SURELY_TWO
        for row, track in enumerate(ids):
            album = self._albums.get(track)
            if album is None:
                interval = round(self._options.interval * 1e9)
                album = self._albums[track] = Album(self._options.per_track, interval, now)
            album.seen_ns = now
            album.frames += 1
            album.together.update(other for column, other in enumerate(ids) if beside[row, column])

    def _cut(self, image: UInt8, box: Float32) -> UInt8:
        [crop] = cut(image, pixel_boxes(box, image.shape[0], image.shape[1]))
        height, width = crop.shape[:2]
        if height <= self._options.most_height:
            return crop.copy()  # a view would keep the frame alive
        scaled = round(width * self._options.most_height / height)
        size = (max(scaled, 1), self._options.most_height)
        small: UInt8 = np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_AREA), np.uint8)
        return small

    def _put_away(self, track: int) -> None:
        album = self._albums.pop(track)
        crops = album.chosen(self._options.least_change)
        if len(crops) >= self._options.least_crops:
            self._stock.add(self._camera, track, album, crops)

    def close(self) -> None:
        """Put away the tracks that still live."""
        for track in list(self._albums):
            self._put_away(track)
