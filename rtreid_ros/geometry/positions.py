"""Where tracks stand, in metres, and how well that is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtreid_ros.errors import InputError
from rtreid_ros.geometry.camera import CameraModel
from rtreid_ros.geometry.depth import DepthImage, nearest_surfaces
from rtreid_ros.geometry.ground import GroundPlane
from rtreid_ros.options import option
from rtreid_ros.types import Bool, Float64

METHODS = ("auto", "depth", "ground")
ANCHORS = ("foot", "centre")

_BORDER_PX = 2.0
"""A box that comes this close to the lower edge of the image may go on below it."""
_LEAST_PX = 1.0
"""No edge of a box is known better than this."""
_NEARLY_PARALLEL = 1e-3


@dataclass(frozen=True, slots=True)
class PositionOptions:
    """How positions are told."""

    method: str = option(
        "auto",
        "depth: from a registered depth image; ground: where the foot of the box meets the ground, whose "
        "height must be given; auto: depth where it is known, else ground",
        choices=METHODS,
    )
    anchor: str = option(
        "foot", "which point of a track: where it stands, or its middle", choices=ANCHORS, live=True
    )
    box_error: float = option(
        0.03,
        "how well the edges of boxes are known, as a share of their height (standard deviation)",
        ge=0,
        le=1,
        live=True,
    )
    max_error: float = option(
        2.0,
        "positions known less well than this are none, metres (standard deviation)",
        ge=0.01,
        le=1000,
        live=True,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Positions:
    """Positions of N boxes in the camera's optical frame.

    Attributes:
        points: ``(N, 3)`` metres; NaN where not known.
        errors: ``(N,)`` standard deviation in metres: root of the summed variances of all axes.
        by_depth: ``(N,) bool``, whether the depth image told them.
    """

    points: Float64
    errors: Float64
    by_depth: Bool

    @classmethod
    def unknown(cls, count: int) -> Positions:
        """Nothing is known of `count` boxes."""
        return cls(np.full((count, 3), np.nan), np.full(count, np.inf), np.zeros(count, bool))

    def __len__(self) -> int:
        return len(self.points)

    @property
    def known(self) -> Bool:
        """``(N,) bool``: rows with a position."""
        return np.asarray(np.isfinite(self.points).all(axis=1))


def locate(
    boxes: Float64,
    camera: CameraModel,
    ground: GroundPlane | None = None,
    depth: DepthImage | None = None,
    options: PositionOptions | None = None,
    *,
    tilt_error: float = 0.0,
    seen: Bool | None = None,
) -> Positions:
    """Positions of boxes.

    By depth, a point lies on the surface that the middle of the box shows; its foot is the ground
    below it or, where the ground is not known, what the lower edge of the box shows at the same
    depth, which is right for a camera that looks about level. By the ground, the foot is where the
    middle of the lower edge meets it, and the middle of the body is right above. Boxes that reach
    the lower edge of the image have no foot to go by.

    Args:
        boxes: ``(N, 4)`` corners in pixels of the image of `camera`.
        camera: calibrated for that image.
        ground: where known.
        depth: registered to that image, of any resolution; where there is one.
        options: how; `PositionOptions` by default.
        tilt_error: standard deviation of the ground's tilt in radians.
        seen: ``(N,)`` rows whose box shows its object: in a box that is only predicted, the depth is that
            of something else. All unless given.

    Raises:
        InputError: the depth image has another shape than the image.
    """
    chosen = options or PositionOptions()
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    count = len(boxes)
    by_depth = by_ground = Positions.unknown(count)
    if count == 0:
        return by_depth
    if depth is not None and chosen.method != "ground":
        by_depth = _by_depth(boxes, camera, ground, depth, chosen)
    if ground is not None and chosen.method != "depth":
        by_ground = _by_ground(boxes, camera, ground, chosen, tilt_error)
    use = by_depth.known if seen is None else by_depth.known & seen
    points = np.where(use[:, None], by_depth.points, by_ground.points)
    errors = np.where(use, by_depth.errors, by_ground.errors)
    good: Bool = errors <= chosen.max_error
    return Positions(np.where(good[:, None], points, np.nan), np.where(good, errors, np.inf), use & good)


def _by_depth(
    boxes: Float64,
    camera: CameraModel,
    ground: GroundPlane | None,
    depth: DepthImage,
    options: PositionOptions,
) -> Positions:
    scale = np.array(depth.size, np.float64)[::-1] / camera.size[::-1]
    if scale.max() > 1.02 * scale.min():
        raise InputError(
            f"the depth image has {depth.size[1]}x{depth.size[0]} pixels, the image {camera.size[1]}x"
            f"{camera.size[0]}: not the same view; take the depth image that is registered to it"
        )
    distance, spread = nearest_surfaces(depth, boxes * np.tile(scale, 2))
    centres, feet = (boxes[:, :2] + boxes[:, 2:]) / 2, _feet(boxes)
    with np.errstate(invalid="ignore", divide="ignore"):
        points = _at_depth(camera.rays(centres), distance)
        if options.anchor == "foot":
            points = ground.drop(points) if ground else _at_depth(camera.rays(feet), distance)
        sideways = distance / camera.focal * _edge_errors(boxes, options)
        errors = np.sqrt(spread**2 + 2 * sideways**2)
    return Positions(points, np.where(np.isfinite(errors), errors, np.inf), np.isfinite(distance))


def _by_ground(
    boxes: Float64, camera: CameraModel, ground: GroundPlane, options: PositionOptions, tilt_error: float
) -> Positions:
    feet = _feet(boxes)
    # the same directions a little further right and down tell how errors of pixels become metres
    nudged = np.concatenate(
        [feet, *(feet + nudge for nudge in np.array([[0.5, 0], [-0.5, 0], [0, 0.5], [0, -0.5]]))]
    )
    hits = ground.hit(camera.rays(nudged)).reshape(5, -1, 3)
    points = hits[0]
    edges = _edge_errors(boxes, options)
    with np.errstate(invalid="ignore"):
        right = np.linalg.norm(hits[1] - hits[2], axis=1) * edges
        down = np.linalg.norm(hits[3] - hits[4], axis=1) * np.hypot(edges, tilt_error * camera.focal)
        errors = np.hypot(right, down)
    seen = boxes[:, 3] < camera.size[0] - _BORDER_PX
    points = np.where(seen[:, None], points, np.nan)
    if options.anchor == "centre":
        points = _above(points, camera.rays((boxes[:, :2] + boxes[:, 2:]) / 2), ground.up)
    known = np.isfinite(points).all(axis=1) & np.isfinite(errors)
    return Positions(points, np.where(known, errors, np.inf), np.zeros(len(boxes), bool))


def _feet(boxes: Float64) -> Float64:
    """Middle of the lower edge."""
    return np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], 1)


def _edge_errors(boxes: Float64, options: PositionOptions) -> Float64:
    return np.maximum(options.box_error * np.abs(boxes[:, 3] - boxes[:, 1]), _LEAST_PX)


def _at_depth(rays: Float64, distance: Float64) -> Float64:
    """Points on directions at a distance along the optical axis; none beside or behind the camera."""
    ahead = np.where(rays[:, 2] > _NEARLY_PARALLEL, rays[:, 2], np.nan)
    return np.asarray(rays * (distance / ahead)[:, None])


def _above(feet: Float64, rays: Float64, up: Float64) -> Float64:
    """The points of the verticals on `feet` that come nearest to directions through the camera."""
    along = rays @ up
    with np.errstate(invalid="ignore", divide="ignore"):
        # least squares of feet + s * up = t * ray
        height = (along * np.einsum("ij,ij->i", rays, feet) - feet @ up) / (1 - along**2)
    height[~(np.abs(along) < 1 - _NEARLY_PARALLEL)] = np.nan  # straight from above no height is seen
    return np.asarray(feet + height[:, None] * up)


def extents(boxes: Float64, points: Float64, camera: CameraModel) -> Float64:
    """Width and height ``(N, 2)`` in metres of what boxes show at optical `points` ``(N, 3)``."""
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    return np.asarray((boxes[:, 2:] - boxes[:, :2]) * points[:, 2:] / camera.focal)
