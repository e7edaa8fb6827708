"""The synthetic street as a source of frames with ground truth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np

from rtreid_ros.affine import compose, invert
from rtreid_ros.datasets.synthetic.body import Figures, Joint
from rtreid_ros.datasets.synthetic.camera import shake, street_camera
from rtreid_ros.datasets.synthetic.canvas import Patch, centred, move, paste, render, shade
from rtreid_ros.datasets.synthetic.crowd import simulate
from rtreid_ros.datasets.synthetic.furniture import furnish, obstacles
from rtreid_ros.datasets.synthetic.light import Daylight, light_side
from rtreid_ros.datasets.synthetic.looks import draw_look
from rtreid_ros.datasets.synthetic.options import SceneOptions
from rtreid_ros.datasets.synthetic.painter import draw_person
from rtreid_ros.datasets.synthetic.street import build_street
from rtreid_ros.datasets.synthetic.view import look_at
from rtreid_ros.errors import ConfigError
from rtreid_ros.options import build
from rtreid_ros.types import Float64, Frame, GroundTruth, Int64, UInt8

_LEAST_INSIDE = 0.2
"""Whose box lies less than this share inside the image is not in the ground truth."""
_LEAST_SEEN = 0.1
"""Who is seen less than this is in the ground truth, but not judged: nobody could find them."""


class SyntheticScene:
    """A seeded street with walking people; a `Source` whose frames can also be had one by one.

    Equal options give equal bytes. Two scenes that differ only in `camera` show the same people,
    with the same ids, at the same times from opposite sides of the street. Ground truth boxes hold
    the whole body, also where it is hidden or outside the image; visibility is the share of the
    body's pixels (with what it wears and carries) that are seen, counted in a label buffer; below
    a tenth a person is not to be judged.

    Args:
        options: what to render; see `SceneOptions`.
        **changes: single options, checked, in place of those of `options`.

    Raises:
        ConfigError: an unknown option or a value out of range.
    """

    class_names: tuple[str, ...] = ("person",)

    def __init__(self, options: SceneOptions | None = None, **changes: Any) -> None:
        values = {} if options is None else {name: getattr(options, name) for name in SceneOptions.__slots__}
        self.options = build(SceneOptions, {**values, **changes})
        chosen, seed = self.options, self.options.seed
        self.camera = street_camera(seed, chosen.camera, self.size)
        fixtures = furnish(seed)
        self._margin = int(np.ceil(2.2 * chosen.camera_motion)) + 2 if chosen.camera_motion else 0
        self._street = build_street(seed, self.camera, fixtures, self._margin)
        self._looks = [draw_look(seed, person) for person in range(chosen.people)]
        self._figures = Figures(self._looks)
        self._crowd = simulate(seed, chosen.people, chosen.frames, chosen.frame_rate, obstacles(fixtures))
        self._daylight = Daylight(chosen)
        self._light_side = light_side(seed, self.camera)

    @property
    def name(self) -> str:
        """``synthetic-SEED``, with ``-camera1`` for the second view."""
        return f"synthetic-{self.options.seed}" + ("-camera1" if self.options.camera else "")

    @property
    def frame_rate(self) -> float:
        """Frames per second."""
        return self.options.frame_rate

    @property
    def size(self) -> tuple[int, int]:
        """``(height, width)`` in pixels."""
        return self.options.height, self.options.width

    @property
    def length(self) -> int:
        """Number of frames."""
        return self.options.frames

    def __len__(self) -> int:
        return self.options.frames

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self.options.frames):
            yield self.frame(index)

    def __enter__(self) -> SyntheticScene:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def camera_motion(self, index: int) -> Float64:
        """``(2, 3)`` affine in pixels from frame ``index - 1`` to frame `index`; identity for the first."""
        if index == 0:
            return np.eye(2, 3)
        return compose(self._view(index), invert(self._view(index - 1)))

    def standing_places(self, index: int, ids: Int64) -> Float64:
        """``(N, 3)`` where people of the ground truth stand in frame `index`, metres in world axes."""
        places = self._crowd.position[index, ids - 1]
        return np.stack([places[:, 0], np.zeros(len(ids)), places[:, 1]], 1)

    def frame(self, index: int) -> Frame:
        """Render one frame, whatever was rendered before.

        Raises:
            ConfigError: there is no such frame.
        """
        image, _, truth = self.render(index)
        stamp = round(index * 1e9 / self.options.frame_rate)
        return Frame(image, index, stamp, truth, f"camera{self.options.camera}")

    def render(self, index: int) -> tuple[UInt8, UInt8, GroundTruth]:
        """Image ``(H, W, 3)`` BGR, label buffer ``(H, W)`` and ground truth of one frame.

        A label is the 1-based row of the ground truth that owns the pixel, 0 where none does.
        """
        if not 0 <= index < self.options.frames:
            raise ConfigError(
                f"frame {index} is not in 0..{self.options.frames - 1}; give the scene more frames"
            )
        affine = self._view(index)
        moved = self.options.camera_motion > 0
        people = np.arange(self.options.people)
        heading = self._crowd.heading[index, people]
        joints = self._figures.pose(
            people,
            self._crowd.position[index, people],
            heading,
            self._crowd.phase[index, people],
            self._crowd.stride[index, people],
        )
        view = look_at(self.camera, affine, joints, heading, self._figures, people)
        order = view.from_back_to_front(self.size)
        image = self._background(affine) if moved else self._street.background.copy()
        self._daylight.cast_shadows(image, index, self.camera, affine, joints[order], view.width[order])
        labels = np.zeros(self.size, np.uint8)
        outer, inner = view.limbs(self._light_side)
        fixtures = list(self._street.furniture)
        hidden_behind: list[tuple[int, int, int, int]] = []
        boxes, totals, rows = [], [], []
        for row in order:
            depth = view.depth[row, Joint.PELVIS]
            while fixtures and fixtures[0][0] > depth:
                self._restore(image, labels, fixtures.pop(0)[1], hidden_behind, affine)
            paints = draw_person(view, row, self._looks[people[row]], outer, inner)
            points = np.concatenate([polygon for polygon, _ in paints])
            box = np.concatenate([points.min(0), points.max(0)])
            patch = shade(render(paints), self._light_side)
            rows.append(row)
            paste(image, labels, patch, len(rows))
            hidden_behind.append(
                (patch.left, patch.top, patch.left + patch.alpha.shape[1], patch.top + patch.alpha.shape[0])
            )
            boxes.append(box)
            totals.append(int(np.count_nonzero(patch.alpha > 127)))
        for _, patch in fixtures:
            self._restore(image, labels, patch, hidden_behind, affine)
        self._daylight.expose(image, index)
        return image, *self._judge(labels, people[rows] if rows else people[:0], boxes, totals)

    def _view(self, index: int) -> Float64:
        """Affine from the resting view to this frame's."""
        chosen = self.options
        if not chosen.camera_motion:
            return np.eye(2, 3)
        return shake(chosen.seed, chosen.camera, index / chosen.frame_rate, chosen.camera_motion, self.size)

    def _background(self, affine: Float64) -> UInt8:
        rows, columns = self.size
        local = centred(affine, (-self._margin, -self._margin), (0, 0))
        return np.asarray(
            cv2.warpAffine(self._street.background, local, (columns, rows), borderMode=cv2.BORDER_REPLICATE)
        )

    def _restore(
        self,
        image: UInt8,
        labels: UInt8,
        patch: Patch,
        behind: list[tuple[int, int, int, int]],
        affine: Float64,
    ) -> None:
        """Paint a fixture again over the people behind it; elsewhere the background has it already."""
        if self.options.camera_motion:
            patch = move(patch, affine)
        right, bottom = patch.left + patch.alpha.shape[1], patch.top + patch.alpha.shape[0]
        if any(
            x0 < right and x1 > patch.left and y0 < bottom and y1 > patch.top for x0, y0, x1, y1 in behind
        ):
            paste(image, labels, patch, 0)

    def _judge(
        self, labels: UInt8, people: np.ndarray, boxes: list[Float64], totals: list[int]
    ) -> tuple[UInt8, GroundTruth]:
        rows, columns = self.size
        seen = cv2.calcHist([labels], [0], None, [256], [0, 256]).ravel()
        box = np.array(boxes, np.float64).reshape(-1, 4)
        whole = (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])
        inside = np.clip(np.minimum(box[:, 2:], (columns, rows)) - np.maximum(box[:, :2], 0), 0, None).prod(1)
        keep = np.flatnonzero(inside >= _LEAST_INSIDE * whole)
        rename = np.zeros(256, np.uint8)
        rename[keep + 1] = np.arange(1, len(keep) + 1)
        share = np.minimum(seen[1 : len(box) + 1] / np.maximum(np.array(totals, np.float64), 1), 1)
        truth = GroundTruth(
            ids=people[keep].astype(np.int64) + 1,
            boxes=box[keep].astype(np.float32),
            class_ids=np.zeros(len(keep), np.int32),
            visibility=share[keep].astype(np.float32),
            considered=share[keep] >= _LEAST_SEEN,
        )
        return cv2.LUT(labels, rename), truth
