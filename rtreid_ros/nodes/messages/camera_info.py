"""``sensor_msgs/CameraInfo`` as a camera model."""

from __future__ import annotations

from sensor_msgs.msg import CameraInfo

from rtreid_ros.geometry import CameraModel


def camera_model(message: CameraInfo, *, rectified: bool = False) -> CameraModel:
    """The camera of the images that a CameraInfo goes with.

    Args:
        message: as the camera's driver publishes it.
        rectified: whether the images are rectified ones (``image_rect``), which its P describes.

    Raises:
        InputError: the camera is not calibrated, or what it says cannot be.
    """
    roi = message.roi
    return CameraModel.from_numbers(
        (message.height, message.width),
        message.k,
        message.distortion_model,
        message.d,
        p=message.p if rectified else None,
        binning=(message.binning_x, message.binning_y),
        roi=(roi.x_offset, roi.y_offset, roi.height, roi.width),
    )


def image_size(message: CameraInfo) -> tuple[int, int]:
    """``(height, width)`` in pixels of the images, whether calibrated or not."""
    height, width = message.roi.height or message.height, message.roi.width or message.width
    return int(height // max(message.binning_y, 1)), int(width // max(message.binning_x, 1))
