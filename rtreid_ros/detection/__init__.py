"""Finding objects in images."""

from rtreid_ros.detection.backends import create_detector
from rtreid_ros.detection.base import Detector, DetectorOptions

__all__ = ["Detector", "DetectorOptions", "create_detector"]
