"""Who walks where and when: a small social-force simulation over the whole scene.

The desired walk is a list of way points at a person's own pace; people and street furniture push
others aside (Helbing and Molnar, Social force model for pedestrian dynamics, 1995, equations 3-6,
with isotropic repulsion).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rtreid_ros.datasets.synthetic.random import stream
from rtreid_ros.types import Float64

NEAR_PAVEMENT = (4.6, 7.8)
FAR_PAVEMENT = (16.2, 19.4)
CROSSING = (-1.8, 1.8)
"""Where the zebra crossing lies along the street, metres."""


@dataclass(frozen=True)
class Crowd:
    """Motion of P people over T frames.

    Attributes:
        present: ``(T, P) bool``, the person is on the street (in view or not).
        position: ``(T, P, 2)`` ground position x, z in metres.
        heading: ``(T, P)`` radians from +z towards +x.
        phase: ``(T, P)`` gait phase in radians, two steps per turn.
        stride: ``(T, P)`` 0 standing .. 1 walking briskly.
    """

    present: NDArray[np.bool_]
    position: Float64
    heading: Float64
    phase: Float64
    stride: Float64


@dataclass
class _Plan:
    """One person's day: way points, and the second at which each walk may begin."""

    start: list[float]
    points: list[Float64]
    pace: float
    pause: tuple[float, float]


def _half_view(z: float) -> float:
    """About how far the cameras see along the street at depth `z`, metres."""
    return 0.62 * z + 1.2


def _walk(rng: np.random.Generator, kind: str) -> Float64:
    """Way points ``(K, 2)`` of one walk through the view."""
    side = rng.choice([-1.0, 1.0])
    if kind == "near":
        z = rng.uniform(*NEAR_PAVEMENT)
        edge = _half_view(z)
        bend = rng.uniform(-0.6, 0.6, 2)
        return np.array([[side * edge, z], [0, z + bend[0]], [-side * edge, z + bend[1]]])
    if kind == "far":
        z = rng.uniform(*FAR_PAVEMENT)
        edge = _half_view(z)
        return np.array(
            [[side * edge, z], [rng.uniform(-3, 3), z + rng.uniform(-0.6, 0.6)], [-side * edge, z]]
        )
    near, far = rng.uniform(*NEAR_PAVEMENT), rng.uniform(*FAR_PAVEMENT)
    out = rng.choice([-1.0, 1.0])
    x0, x1 = rng.uniform(*CROSSING, 2)
    walk = np.array(
        [[side * _half_view(near), near], [x0, near + 0.8], [x1, far - 0.8], [out * _half_view(far), far]]
    )
    return walk if rng.random() < 0.5 else walk[::-1].copy()


def _length(points: Float64) -> float:
    return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())


def _plan(rng: np.random.Generator, duration: float) -> _Plan:
    """Walks until the scene ends, each from where the last one left the view."""
    pace = float(rng.uniform(1.0, 1.6))
    kind = str(rng.choice(["near", "far", "cross"], p=[0.42, 0.28, 0.30]))
    points = _walk(rng, kind)
    # some are in view when the scene opens, the rest arrive during it
    begin = float(rng.uniform(-0.9 * _length(points) / pace, max(0.55 * duration, 1.0)))
    wait = (float(rng.uniform(0.3, 0.7)), float(rng.uniform(1.5, 4.0))) if rng.random() < 0.2 else (2.0, 0.0)
    starts, walks = [], []
    while begin < duration:
        starts.append(begin)
        walks.append(points)
        begin += _length(points) / pace + wait[1] + rng.uniform(0.6, 2.6)
        # comes back where it left, in its own lane or another one
        if rng.random() < 0.7:
            points = points[::-1] + rng.uniform(-0.4, 0.4, points.shape) * np.array([0.0, 1.0])
        else:
            after = _walk(rng, kind)
            points = after if after[0, 0] * points[-1, 0] > 0 else after * np.array([-1.0, 1.0])
    return _Plan(starts, walks, pace, wait)


def _accompany(rng: np.random.Generator, plan: _Plan) -> _Plan:
    """The same walks, at arm's length beside the first person."""
    aside = np.array([rng.uniform(-0.25, 0.25), rng.choice([-1.0, 1.0]) * rng.uniform(0.55, 0.75)])
    return _Plan(list(plan.start), [points + aside for points in plan.points], plan.pace, plan.pause)


def _desired(plan: _Plan, times: Float64) -> tuple[Float64, NDArray[np.bool_], NDArray[np.int64]]:
    """Where the plan alone would put the person, whether at all, and which walk it is on."""
    where = np.zeros((len(times), 2))
    present = np.zeros(len(times), bool)
    number = np.full(len(times), -1, np.int64)
    for index, (start, points) in enumerate(zip(plan.start, plan.points, strict=True)):
        legs = np.linalg.norm(np.diff(points, axis=0), axis=1)
        reached = np.concatenate([[0], np.cumsum(legs)])
        at, pause = plan.pause
        walked = (times - start) * plan.pace
        halt = at * reached[-1]
        walked = np.where(walked > halt, np.maximum(halt, walked - pause * plan.pace), walked)
        inside = (walked >= 0) & (walked <= reached[-1])
        for axis in range(2):
            where[inside, axis] = np.interp(walked[inside], reached, points[:, axis])
        present |= inside
        number[inside] = index
    return where, present, number


def simulate(seed: int, people: int, frames: int, frame_rate: float, obstacles: Float64) -> Crowd:
    """Walk everybody through the scene.

    Args:
        seed: of the scene.
        people: number P of identities.
        frames: number T of frames.
        frame_rate: frames per second.
        obstacles: ``(M, 3)`` x, z and radius in metres of what people walk around.
    """
    times = np.arange(frames) / frame_rate
    plans: list[_Plan] = []
    for person in range(people):
        rng = stream(seed, "plan", person)
        if person % 6 == 5:
            plans.append(_accompany(rng, plans[-1]))
        else:
            plans.append(_plan(rng, frames / frame_rate))
    goal = np.zeros((frames, people, 2))
    present = np.zeros((frames, people), bool)
    number = np.zeros((frames, people), np.int64)
    for person, plan in enumerate(plans):
        goal[:, person], present[:, person], number[:, person] = _desired(plan, times)
    position = _push_aside(goal, present, number, frame_rate, obstacles)
    heading, phase, stride = _gait(stream(seed, "gait"), position, present, number, frame_rate)
    return Crowd(present, position, heading, phase, stride)


def _push_aside(
    goal: Float64,
    present: NDArray[np.bool_],
    number: NDArray[np.int64],
    frame_rate: float,
    obstacles: Float64,
) -> Float64:
    """Offsets from the plans grow where others are near and fade afterwards."""
    frames, people, _ = goal.shape
    offset = np.zeros((people, 2))
    position = np.zeros_like(goal)
    step = 1 / frame_rate
    before = np.full(people, -1)
    for frame in range(frames):
        offset[number[frame] != before] = 0
        before = number[frame]
        here = goal[frame] + offset
        apart = here[:, None] - here[None]
        distance = np.linalg.norm(apart, axis=-1) + 1e-6
        force = 2.2 * np.exp((0.45 - distance) / 0.22)
        force *= present[frame][None] & ~np.eye(people, dtype=bool)
        push = (apart / distance[..., None] * np.minimum(force, 4)[..., None]).sum(1)
        if len(obstacles):
            apart = here[:, None] - obstacles[None, :, :2]
            distance = np.linalg.norm(apart, axis=-1) + 1e-6
            force = 2.5 * np.exp((obstacles[:, 2] + 0.25 - distance) / 0.18)
            push += (apart / distance[..., None] * np.minimum(force, 4)[..., None]).sum(1)
        push[:, 0] *= 0.45  # people give way sideways rather than stop
        offset += step * (push - 0.7 * offset)
        position[frame] = goal[frame] + offset
    return position


def _gait(
    rng: np.random.Generator,
    position: Float64,
    present: NDArray[np.bool_],
    number: NDArray[np.int64],
    frame_rate: float,
) -> tuple[Float64, Float64, Float64]:
    """Heading, phase and stride that fit the motion, so that feet hardly slide."""
    frames, people, _ = position.shape
    heading, phase, stride = np.zeros((3, frames, people))
    smooth = np.zeros((people, 2))
    turn = rng.uniform(0, 2 * np.pi, (people,))
    facing = rng.uniform(0, 2 * np.pi, (people,))
    rate = min(1.0, 5.0 / frame_rate)
    for frame in range(frames):
        ahead = min(frame + 1, frames - 1)
        moving = present[frame] & present[ahead] & (number[frame] == number[ahead])
        velocity = (position[ahead] - position[frame]) * frame_rate
        fresh = moving & ((frame == 0) | (number[frame] != number[max(frame - 1, 0)]))
        smooth[fresh] = velocity[fresh]
        smooth[moving] += rate * (velocity[moving] - smooth[moving])
        speed = np.hypot(smooth[:, 0], smooth[:, 1])
        walking = speed > 0.25
        aim = np.arctan2(smooth[:, 0], smooth[:, 1])
        difference = (aim - facing + np.pi) % (2 * np.pi) - np.pi
        facing = np.where(fresh & walking, aim, facing + np.where(walking, rate * difference, 0))
        stride[frame] = np.clip(speed / 1.35, 0, 1.2)
        turn += 2 * np.pi * speed / (0.55 + 0.68 * speed) / frame_rate
        heading[frame] = facing
        phase[frame] = turn
    return heading, phase, stride
