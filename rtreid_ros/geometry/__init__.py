"""From pixels to metres: camera models, the ground plane, depth images, where tracks stand."""

from rtreid_ros.geometry.camera import CameraModel
from rtreid_ros.geometry.depth import DepthImage, nearest_surfaces
from rtreid_ros.geometry.ground import GroundOptions, GroundPlane
from rtreid_ros.geometry.positions import PositionOptions, Positions, extents, locate
from rtreid_ros.geometry.transforms import TransformTree

__all__ = [
    "CameraModel",
    "DepthImage",
    "GroundOptions",
    "GroundPlane",
    "PositionOptions",
    "Positions",
    "TransformTree",
    "extents",
    "locate",
    "nearest_surfaces",
]
