"""What can be set on the synthetic street."""

from __future__ import annotations

from dataclasses import dataclass

from rtreid_ros.options import option


@dataclass(frozen=True, slots=True)
class SceneOptions:
    """Options of the synthetic scene: equal options give equal bytes."""

    seed: int = option(
        0, "seed of everything that is random: street, people, walks, light, noise", ge=0, le=2**31 - 1
    )
    people: int = option(20, "distinct people who walk through the scene over time", ge=0, le=200)
    width: int = option(640, "image width in pixels", ge=64, le=4096)
    height: int = option(480, "image height in pixels", ge=64, le=4096)
    frame_rate: float = option(30.0, "frames per second", ge=1, le=240)
    frames: int = option(300, "number of frames", ge=1, le=1_000_000)
    camera: int = option(0, "which side of the street films: 0, or 1 for the opposite one", ge=0, le=1)
    camera_motion: float = option(
        0.0, "amplitude of hand-held camera shake in pixels; 0 = a fixed camera", ge=0, le=40
    )
    light: float = option(0.5, "strength of passing clouds and drifting day light; 0 = steady", ge=0, le=1)
    noise: float = option(2.0, "standard deviation of the sensor noise in grey levels", ge=0, le=20)
