"""People whose looks are vectors, seen by cameras: what a gallery is given, without pictures."""

import numpy as np

from rtreid_ros.types import Tracks, TrackState

STEP_NS = 200_000_000
DIM = 64
SIZE = (480, 640)


def _unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


class People:
    """Looks of people by an imagined embedder, cosines of one person about .8, of two about 0.

    Args:
        common: share of every vector that all people have, which brings different people together.
        camera: share that all vectors of a camera have.
        noise: how much one look differs from another.
    """

    def __init__(self, seed=0, common=0.0, camera=0.0, noise=0.06):
        self.rng = np.random.default_rng(seed)
        self.own = _unit(self.rng.normal(size=(200, DIM)))
        self.common = _unit(self.rng.normal(size=DIM)) * common
        self.cameras = _unit(self.rng.normal(size=(10, DIM))) * camera
        self.noise = noise

    def look(self, person, camera):
        vector = self.own[person] + self.common + self.cameras[camera]
        vector = vector + self.rng.normal(size=DIM) * self.noise
        return _unit(vector)


def tracks_of(ids, looks, ages, **columns):
    """Confirmed tracks of full quality, side by side."""
    count = len(ids)
    left = 40.0 + 55.0 * np.arange(count)
    given = {
        "ids": np.array(ids, np.int64),
        "boxes": np.stack([left, left * 0 + 100, left + 40, left * 0 + 200], 1)
        .reshape(-1, 4)
        .astype(np.float32),
        "scores": np.full(count, 0.9, np.float32),
        "class_ids": np.zeros(count, np.int32),
        "states": np.full(count, TrackState.CONFIRMED, np.uint8),
        "ages": np.array(ages, np.float32),
        "time_since_update": np.zeros(count, np.float32),
        "detection_index": np.arange(count),
        "velocities": np.zeros((count, 2), np.float32),
        "embeddings": np.array(looks, np.float32).reshape(count, -1 if count else DIM),
    }
    return Tracks(**{**given, **columns})


class Street:
    """Feeds a gallery: who is where, step by step of 0.2 s.

    Each visit of a person to a camera is a local track with an id of its own.
    """

    def __init__(self, gallery, people=None):
        self.gallery = gallery
        self.people = people or People()
        self.step = 0
        self.born = {}
        self.next_id = {}
        self.ids = {}
        """Global id last given, by camera and person."""
        self.answers = []

    def show(self, steps, cameras, places=None, **columns):
        """Let cameras (name to persons) see people for some steps; what each had in the end."""
        visible = {(name, person) for name, persons in cameras.items() for person in persons}
        self.born = {key: value for key, value in self.born.items() if key in visible}
        for _ in range(steps):
            for name, persons in cameras.items():
                index = ord(name) - ord("a")
                for person in persons:
                    if (name, person) not in self.born:
                        self.next_id[name] = self.next_id.get(name, 0) + 1
                        self.born[name, person] = (self.next_id[name], self.step)
                ids = [self.born[name, person][0] for person in persons]
                ages = [(self.step - self.born[name, person][1]) * STEP_NS * 1e-9 for person in persons]
                looks = [self.people.look(person, index) for person in persons]
                tracks = tracks_of(ids, looks, ages, **columns)
                stood = (
                    None if places is None else np.array([places[name][person] for person in persons], float)
                )
                answer = self.gallery.update(
                    name, self.step * STEP_NS + index * 1_000_000, tracks, stood, SIZE
                )
                self.answers.append((name, answer.ids.tolist(), answer.merged))
                self.ids.update(
                    {(name, person): id_ for person, id_ in zip(persons, answer.ids.tolist(), strict=True)}
                )
            self.step += 1
        return {key: self.ids[key] for key in visible}

    def wait(self, seconds):
        """Nobody is anywhere."""
        self.born.clear()
        self.step += round(seconds * 1e9 / STEP_NS)
