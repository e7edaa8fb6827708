"""Where everybody's joints are: a walking skeleton in metres, all people in one operation.

Angles follow the sagittal curves of normal walking in their plainest form: thighs and arms swing as
opposite sinusoids, the knee bends while its leg swings forward (Winter, Biomechanics and Motor
Control of Human Movement, 2009, chapter 4), and the pelvis is as high as the lower foot allows.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from rtreid_ros.datasets.synthetic.looks import Look
from rtreid_ros.types import Float64


class Joint(IntEnum):
    """Rows of a skeleton; left ones come before right ones."""

    PELVIS = 0
    NECK = 1
    HEAD = 2
    HIP_L = 3
    HIP_R = 4
    KNEE_L = 5
    KNEE_R = 6
    ANKLE_L = 7
    ANKLE_R = 8
    TOE_L = 9
    TOE_R = 10
    SHOULDER_L = 11
    SHOULDER_R = 12
    ELBOW_L = 13
    ELBOW_R = 14
    HAND_L = 15
    HAND_R = 16
    PACK = 17
    """Centre of a backpack."""
    BAG = 18
    """Centre of a shoulder bag."""


JOINTS = len(Joint)


class Figures:
    """The build of P people as columns, ready to be posed.

    Args:
        looks: their appearance, in order of identity.
    """

    def __init__(self, looks: list[Look]) -> None:
        self.height = np.array([look.height for look in looks])
        self.width = np.array([look.width for look in looks]) * self.height
        self.swing = np.array([look.arm_swing for look in looks])
        self.shuffle = np.array([look.shuffle for look in looks])
        self.bag_side = np.array([look.bag_side for look in looks])

    def pose(
        self, rows: np.ndarray, position: Float64, heading: Float64, phase: Float64, stride: Float64
    ) -> Float64:
        """Joints ``(N, JOINTS, 3)`` in world metres of the people `rows`.

        Args:
            rows: ``(N,)`` which people.
            position: ``(N, 2)`` x and z on the ground.
            heading: ``(N,)`` radians from +z towards +x.
            phase: ``(N,)`` gait phase.
            stride: ``(N,)`` 0 standing to 1 walking.
        """
        height, width = self.height[rows], self.width[rows]
        phase = phase + self.shuffle[rows]
        swing = 0.42 * stride
        local = np.zeros((len(rows), JOINTS, 3))  # forward, right, up
        thigh, shin, sole = 0.245 * height, 0.235 * height, 0.045 * height
        drop = np.zeros((len(rows), 2))
        for side, sign in ((0, -1.0), (1, 1.0)):
            turn = phase + np.pi * side
            hip_angle = swing * np.sin(turn) + 0.08 * stride
            knee = 0.06 + 0.8 * stride * np.maximum(np.cos(turn + 0.25), 0) ** 1.5
            shin_angle = hip_angle - knee
            hip, knee_row, ankle, toe = (
                Joint.HIP_L + side,
                Joint.KNEE_L + side,
                Joint.ANKLE_L + side,
                Joint.TOE_L + side,
            )
            local[:, hip, 1] = sign * 0.048 * width
            local[:, knee_row, 0] = thigh * np.sin(hip_angle)
            local[:, knee_row, 1] = sign * 0.045 * width
            local[:, knee_row, 2] = -thigh * np.cos(hip_angle)
            local[:, ankle, 0] = local[:, knee_row, 0] + shin * np.sin(shin_angle)
            local[:, ankle, 1] = sign * 0.04 * width
            local[:, ankle, 2] = local[:, knee_row, 2] - shin * np.cos(shin_angle)
            # the foot follows the shin half-way: flat on the ground, toe down when pushed off
            pitch = 0.55 * shin_angle
            local[:, toe, 0] = local[:, ankle, 0] + 0.10 * height * np.cos(pitch)
            local[:, toe, 1] = sign * 0.052 * width
            local[:, toe, 2] = local[:, ankle, 2] + 0.10 * height * np.sin(pitch) - 0.25 * sole
            drop[:, side] = np.minimum(local[:, ankle, 2] - sole, local[:, toe, 2] - 0.4 * sole)
            arm = -self.swing[rows] * (0.62 * stride * np.sin(turn)) + 0.03
            fore = arm + 0.18 + 0.35 * stride * np.maximum(-np.sin(turn), 0)
            shoulder, elbow, hand = Joint.SHOULDER_L + side, Joint.ELBOW_L + side, Joint.HAND_L + side
            local[:, shoulder, 1] = sign * 0.106 * width
            local[:, shoulder, 2] = 0.285 * height
            local[:, elbow, 0] = 0.165 * height * np.sin(arm)
            local[:, elbow, 1] = sign * 0.128 * width
            local[:, elbow, 2] = 0.285 * height - 0.165 * height * np.cos(arm)
            local[:, hand, 0] = local[:, elbow, 0] + 0.155 * height * np.sin(fore)
            local[:, hand, 1] = sign * 0.122 * width
            local[:, hand, 2] = local[:, elbow, 2] - 0.155 * height * np.cos(fore)
        lean = 0.03 * stride * height
        local[:, Joint.NECK] = np.stack([lean, 0 * height, 0.315 * height], 1)
        local[:, Joint.HEAD] = np.stack([1.3 * lean, 0 * height, 0.405 * height], 1)
        local[:, Joint.SHOULDER_L : Joint.SHOULDER_R + 1, 0] += lean[:, None]
        local[:, Joint.ELBOW_L : Joint.HAND_R + 1, 0] += lean[:, None]
        local[:, Joint.PACK] = np.stack([lean - 0.105 * width, 0 * height, 0.17 * height], 1)
        sway = 0.02 * stride * np.sin(phase) * height
        local[:, Joint.BAG] = np.stack([sway, self.bag_side[rows] * 0.13 * width, -0.03 * height], 1)
        local[..., 2] -= drop.min(axis=1)[:, None]
        sin, cos = np.sin(heading)[:, None], np.cos(heading)[:, None]
        world = np.empty_like(local)
        world[..., 0] = position[:, None, 0] + local[..., 0] * sin + local[..., 1] * cos
        world[..., 1] = local[..., 2]
        world[..., 2] = position[:, None, 1] + local[..., 0] * cos - local[..., 1] * sin
        return world
