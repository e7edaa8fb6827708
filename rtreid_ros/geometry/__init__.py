"""From pixels to metres: camera models, the ground plane, depth images, where tracks stand."""

from rtreid_ros.geometry.camera import CameraModel
from rtreid_ros.geometry.depth import DepthImage, nearest_surfaces
from rtreid_ros.geometry.ground import GroundOptions, GroundPlane
from rtreid_ros.geometry.positions import PositionOptions, Positions, extents, locate

__all__ = [
    "CameraModel",
    "DepthImage",
    "GroundOptions",
    "GroundPlane",
    "PositionOptions",
    "Positions",
    "extents",
    "locate",
    "nearest_surfaces",
]
