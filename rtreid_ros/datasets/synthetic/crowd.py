"""Who walks where and when: a small social-force simulation over the whole scene.

The desired walk is a list of way points at a person's own pace; people and street furniture push
others aside (Helbing and Molnar, Social force model for pedestrian dynamics, 1995, equations 3-6,
with isotropic repulsion).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtreid_ros.datasets.synthetic.random import stream
from rtreid_ros.types import Bool, Float64

NEAR_PAVEMENT = (5.0, 7.8)
FAR_PAVEMENT = (16.2, 19.0)
CROSSING = (-1.8, 1.8)
"""Where the zebra crossing lies along the street, metres."""
_APPROACH = 40.0
"""Seconds for which people come down the street before their first walk."""


@dataclass(frozen=True)
class Crowd:
    """Motion of P people over T frames; everybody is somewhere at every time, in view or not.

    Attributes:
        position: ``(T, P, 2)`` ground position x, z in metres.
        heading: ``(T, P)`` radians from +z towards +x.
        phase: ``(T, P)`` gait phase in radians, two steps per turn.
        stride: ``(T, P)`` 0 standing .. 1 walking briskly.
    """

    position: Float64
    heading: Float64
    phase: Float64
    stride: Float64


@dataclass
class _Plan:
    """Where one person wants to be: knots of time in seconds and place, straight lines between."""

    times: list[float]
    places: list[Float64]

    def wait(self, seconds: float) -> None:
        self.times.append(self.times[-1] + seconds)
        self.places.append(self.places[-1])

    def walk(self, place: Float64, pace: float) -> None:
        self.times.append(self.times[-1] + float(np.hypot(*(place - self.places[-1]))) / pace + 1e-3)
        self.places.append(place)


def _edge(z: float) -> float:
    """Far enough along the street at depth `z` to be out of the first camera's view, metres."""
    return 0.5 * z + 2.2


def _route(rng: np.random.Generator, kind: str) -> Float64:
    """Way points ``(K, 2)`` of one walk through the view."""
    side = rng.choice([-1.0, 1.0])
    if kind == "near":
        z = rng.uniform(*NEAR_PAVEMENT)
        edge = _edge(z)
        bend = rng.uniform(-0.6, 0.6, 2)
        return np.array([[side * edge, z], [0, z + bend[0]], [-side * edge, z + bend[1]]])
    if kind == "far":
        z = rng.uniform(*FAR_PAVEMENT)
        edge = _edge(z)
        return np.array(
            [[side * edge, z], [rng.uniform(-3, 3), z + rng.uniform(-0.6, 0.6)], [-side * edge, z]]
        )
    near, far = rng.uniform(*NEAR_PAVEMENT), rng.uniform(*FAR_PAVEMENT)
    out = rng.choice([-1.0, 1.0])
    x0, x1 = rng.uniform(*CROSSING, 2)
    route = np.array([[side * _edge(near), near], [x0, near + 0.8], [x1, far - 0.8], [out * _edge(far), far]])
    return route if rng.random() < 0.5 else route[::-1].copy()


def _length(points: Float64) -> float:
    return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())


def _plan(rng: np.random.Generator, duration: float) -> _Plan:
    """Walks until the scene ends: through the view, a moment out of it, and back."""
    pace = float(rng.uniform(1.0, 1.6))
    kind = str(rng.choice(["near", "far", "cross"], p=[0.44, 0.24, 0.32]))
    route = _route(rng, kind)
    # some are in view when the scene opens, the rest arrive during it, from farther down the street
    begin = float(rng.uniform(-0.9 * _length(route) / pace, max(0.5 * duration, 1.0)))
    plan = _Plan([begin - _APPROACH], [route[0] + np.array([np.sign(route[0, 0]) * pace * _APPROACH, 0.0])])
    while plan.times[-1] < duration:
        stop = int(rng.integers(1, len(route))) if rng.random() < 0.2 else 0
        for number, place in enumerate(route):
            plan.walk(place, pace)
            if number == stop > 0:
                plan.wait(rng.uniform(1.2, 3.0))
        plan.wait(rng.uniform(0.3, 1.5))
        if rng.random() < 0.7:
            route = route[::-1] + rng.uniform(-0.4, 0.4, route.shape) * np.array([0.0, 1.0])
        else:
            after = _route(rng, kind)
            route = after if after[0, 0] * route[-1, 0] > 0 else after * np.array([-1.0, 1.0])
    return plan


def _accompany(rng: np.random.Generator, plan: _Plan) -> _Plan:
    """The same walks, a step behind and to the side, so that one does not hide the other all along."""
    aside = np.array([0.0, rng.choice([-1.0, 1.0]) * rng.uniform(0.3, 0.5)])
    late = float(rng.uniform(0.5, 0.75))
    return _Plan([time + late for time in plan.times], [place + aside for place in plan.places])


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
    goal = np.zeros((frames, people, 2))
    plan = _Plan([], [])
    for person in range(people):
        rng = stream(seed, "plan", person)
        plan = _accompany(rng, plan) if person % 6 == 5 else _plan(rng, frames / frame_rate)
        for axis in range(2):
            goal[:, person, axis] = np.interp(times, plan.times, [place[axis] for place in plan.places])
    position = _push_aside(goal, frame_rate, obstacles)
    return Crowd(position, *_gait(stream(seed, "gait"), position, frame_rate))


def _push_aside(goal: Float64, frame_rate: float, obstacles: Float64) -> Float64:
    """Offsets from the plans grow where others are near and fade afterwards."""
    frames, people, _ = goal.shape
    offset = np.zeros((people, 2))
    position = np.zeros_like(goal)
    others = ~np.eye(people, dtype=bool)
    for frame in range(frames):
        here = goal[frame] + offset
        push = _repulsion(here, here, np.full(people, 0.45), 2.2, 0.22, others)
        push += _repulsion(here, obstacles[:, :2], obstacles[:, 2] + 0.25, 2.5, 0.18, True)
        push[:, 0] *= 0.45  # people give way sideways rather than stop
        offset += (push - 0.7 * offset) / frame_rate
        position[frame] = goal[frame] + offset
    return position


def _repulsion(
    here: Float64, there: Float64, radius: Float64, strength: float, fall: float, active: Bool | bool
) -> Float64:
    """Push ``(P, 2)`` on people `here`, exponential in their distance from the rims of things `there`."""
    apart = here[:, None] - there[None]
    distance = np.linalg.norm(apart, axis=-1) + 1e-6
    force = np.minimum(strength * np.exp((radius - distance) / fall), 4.0) * active
    return np.asarray((apart / distance[..., None] * force[..., None]).sum(1))


def _gait(rng: np.random.Generator, position: Float64, frame_rate: float) -> tuple[Float64, Float64, Float64]:
    """Heading, phase and stride that fit the motion, so that feet hardly slide."""
    frames, people, _ = position.shape
    heading, phase, stride = np.zeros((3, frames, people))
    velocity = np.gradient(position, 1 / frame_rate, axis=0) if frames > 1 else np.zeros_like(position)
    smooth = velocity[0].copy()
    facing = np.arctan2(smooth[:, 0], smooth[:, 1])
    turn = rng.uniform(0, 2 * np.pi, (people,))
    rate = min(1.0, 5.0 / frame_rate)
    for frame in range(frames):
        smooth += rate * (velocity[frame] - smooth)
        speed = np.hypot(smooth[:, 0], smooth[:, 1])
        aim = np.arctan2(smooth[:, 0], smooth[:, 1])
        difference = (aim - facing + np.pi) % (2 * np.pi) - np.pi
        facing += np.where(speed > 0.25, rate * difference, 0)
        turn += 2 * np.pi * speed / (0.55 + 0.68 * speed) / frame_rate
        stride[frame] = np.clip(speed / 1.35, 0, 1.2)
        heading[frame] = facing
        phase[frame] = turn
    return heading, phase, stride
