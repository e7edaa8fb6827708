"""Batches of clips: frames of one track, in their order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rtreid_ros.errors import InputError
from rtreid_ros.reid.data.sampler import PKSampler, SamplerOptions, rows_of_each
from rtreid_ros.types import Int64


class ClipSampler:
    """P identities times K clips of T frames.

    In every epoch the frames of each track are shuffled and cut into clips of T, whose frames are then put
    in order again: a clip spans its track loosely, and no frame is in two. Frames left over wait for another
    epoch; a track shorter than T is one clip, filled up with its last frame.

    Args:
        classes: ``(N,) int64`` identity of every image.
        tracks: ``(N,) int64`` whatever tells tracks of an identity apart: its camera, or its sequence.
            Images of a track stand in the order of time, perhaps with those of others between them.
        options: sizes of batches, in clips.
        frames: of a clip, T.
        seed: of everything random.

    Raises:
        InputError: as `PKSampler`, or no frame per clip.
    """

    def __init__(
        self, classes: Int64, tracks: Int64, options: SamplerOptions, frames: int, seed: int = 0
    ) -> None:
        if frames < 1:
            raise InputError(f"a clip needs at least one frame, got {frames}")
        self._frames, self._seed = frames, seed
        keys, owner = np.unique(np.stack([classes, tracks], axis=1), axis=0, return_inverse=True)
        self._tracks = rows_of_each(owner.reshape(-1))
        clips = [max(len(rows) // frames, 1) for rows in self._tracks]
        self._sampler = PKSampler(np.repeat(keys[:, 0], clips), options, seed)

    def __len__(self) -> int:
        """Batches per epoch."""
        return len(self._sampler)

    def epoch(self, number: int) -> Iterator[Int64]:
        """The batches of epoch `number`: rows ``(P * K, T) int64``."""
        rng = np.random.default_rng((self._seed, number, 1))
        clips = np.concatenate([self._cut(rows, rng) for rows in self._tracks])
        for batch in self._sampler.epoch(number):
            yield clips[batch]

    def _cut(self, rows: Int64, rng: np.random.Generator) -> Int64:
        """``(clips, T)`` of the track of `rows`."""
        count = len(rows) // self._frames
        if not count:
            return np.pad(rows, (0, self._frames - len(rows)), mode="edge")[None]
        drawn = rng.permutation(rows)[: count * self._frames]
        return np.sort(drawn.reshape(count, self._frames), axis=1)
