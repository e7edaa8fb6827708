"""The three parametrisations of a box that trackers filter, each with its published noise.

=====  =====================================  ===========================  ==========================
class  coordinates                            noise relative to            used by
=====  =====================================  ===========================  ==========================
XYAH   centre, aspect ratio, height           height                       DeepSORT, StrongSORT, ByteTrack
XYWH   centre, width, height                  width and height             BoT-SORT, Deep OC-SORT
XYSR   centre, area, aspect ratio             nothing: fixed, in pixels    SORT, OC-SORT
=====  =====================================  ===========================  ==========================
"""

from __future__ import annotations

import numpy as np

from rtreid_ros import boxes
from rtreid_ros.tracking.kalman import BoxFilter, Noise
from rtreid_ros.types import Float64


class XYAH(BoxFilter):
    """Centre, aspect ratio and height, noise relative to the height.

    DeepSORT (Wojke et al., ICIP 2017, section 2.1); ByteTrack and StrongSORT take it over.
    """

    process = Noise.of((1 / 20, 1 / 20, 0, 1 / 20), (0, 0, 1e-2, 0))
    process_rate = Noise.of((1 / 160, 1 / 160, 0, 1 / 160), (0, 0, 1e-5, 0))
    measurement = Noise.of((1 / 20, 1 / 20, 0, 1 / 20), (0, 0, 1e-1, 0))
    initial = Noise.of((1 / 10, 1 / 10, 0, 1 / 10), (0, 0, 1e-2, 0))
    initial_rate = Noise.of((1 / 16, 1 / 16, 0, 1 / 16), (0, 0, 1e-5, 0))
    zoom_power = np.array((0.0, 0.0, 0.0, 1.0))  # the centre is mapped by the affine itself

    def measure(self, corners: Float64) -> Float64:
        """Corner boxes as centre, aspect ratio, height."""
        return boxes.xyxy_to_xyah(corners)

    def corners(self, position: Float64) -> Float64:
        """Centre, aspect ratio, height as corner boxes."""
        return boxes.xyah_to_xyxy(position)

    def scale(self, position: Float64) -> Float64:
        """Heights, ``(N, 1)``."""
        return position[:, 3:4]


class XYWH(BoxFilter):
    """Centre, width and height, noise relative to width and height.

    BoT-SORT (Aharon et al., 2022, section 3.1, equations 1 to 4); Deep OC-SORT takes it over.
    """

    process = Noise.of((1 / 20,) * 4, (0,) * 4)
    process_rate = Noise.of((1 / 160,) * 4, (0,) * 4)
    measurement = Noise.of((1 / 20,) * 4, (0,) * 4)
    initial = Noise.of((1 / 10,) * 4, (0,) * 4)
    initial_rate = Noise.of((1 / 16,) * 4, (0,) * 4)
    zoom_power = np.array((0.0, 0.0, 1.0, 1.0))

    def measure(self, corners: Float64) -> Float64:
        """Corner boxes as centre, width, height."""
        return boxes.xyxy_to_cxcywh(corners)

    def corners(self, position: Float64) -> Float64:
        """Centre, width, height as corner boxes."""
        return boxes.cxcywh_to_xyxy(position)

    def scale(self, position: Float64) -> Float64:
        """Width, height, width, height: ``(N, 4)``."""
        return position[:, (2, 3, 2, 3)]


class XYSR(BoxFilter):
    """Centre, area and aspect ratio (width / height), which has no rate; noise in fixed pixels.

    SORT (Bewley et al., ICIP 2016, section 3.2) with the variances of the authors' implementation,
    for pixels and frames; OC-SORT takes it over.
    """

    process = Noise.of((0,) * 4, (1, 1, 1, 1))
    process_rate = Noise.of((0,) * 4, (1e-1, 1e-1, 1e-2, 0))
    measurement = Noise.of((0,) * 4, (1, 1, 10**0.5, 10**0.5))
    initial = Noise.of((0,) * 4, (10**0.5,) * 4)
    initial_rate = Noise.of((0,) * 4, (100, 100, 100, 0))
    zoom_power = np.array((0.0, 0.0, 2.0, 0.0))

    def measure(self, corners: Float64) -> Float64:
        """Corner boxes as centre, area, aspect ratio."""
        return boxes.xyxy_to_xysr(corners)

    def corners(self, position: Float64) -> Float64:
        """Centre, area, aspect ratio as corner boxes."""
        return boxes.xysr_to_xyxy(position)

    def scale(self, position: Float64) -> Float64:
        """Nothing to scale with."""
        return position[:, :1]
