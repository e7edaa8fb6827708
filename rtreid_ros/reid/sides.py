"""Which cameras or views the numbers of a network's side information stand for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rtreid_ros.datasets.identities.base import UNKNOWN
from rtreid_ros.errors import ConfigError
from rtreid_ros.types import Int64


@dataclass(frozen=True, slots=True)
class Sides:
    """Side information of one training: number i stands for ``keys[i]``.

    A view is a camera and one of its sequences (He et al., TransReID, ICCV 2021, section 3.3, where camera
    and viewpoint are numbered together). What training has not seen is `UNKNOWN`.

    Attributes:
        kind: ``none``, ``camera`` or ``view``.
        keys: camera and sequence as the data set numbers them; of kind ``camera`` the sequence is 0.
        dataset: whose cameras these are.
    """

    kind: str = "none"
    keys: tuple[tuple[int, int], ...] = ()
    dataset: str = ""

    @classmethod
    def seen(cls, kind: str, cameras: Int64, sequences: Int64, dataset: str = "") -> Sides:
        """Numbers for what training pictures know, ``(N,)`` cameras and sequences of these."""
        if kind == "none":
            return cls()
        known = {key for key in _keys(kind, cameras, sequences) if UNKNOWN not in key}
        return cls(kind, tuple(sorted(known)), dataset)

    def __len__(self) -> int:
        return len(self.keys)

    def numbers(self, cameras: Int64, sequences: Int64) -> Int64:
        """``(N,)`` numbers of ``(N,)`` cameras and sequences; `UNKNOWN` where training has not seen them."""
        known = {key: number for number, key in enumerate(self.keys)}
        found = [known.get(key, UNKNOWN) for key in _keys(self.kind, cameras, sequences)]
        return np.array(found, np.int64)

    def number(self, camera: int, sequence: int | None = None) -> int:
        """The number of one camera, or view.

        Raises:
            ConfigError: a sequence is wanted and not given or the other way round, or training has not
                seen it.
        """
        if (sequence is not None) != (self.kind == "view"):
            wanted = "a camera and its sequence" if self.kind == "view" else "the camera alone"
            raise ConfigError(f"the side information is of kind {self.kind}: give {wanted}")
        key = (camera, sequence or 0)
        if key not in self.keys:
            known = ", ".join(map(self.label, range(len(self))))
            raise ConfigError(
                f"training has not seen {self._label(key)} of {self.dataset}; it knows: {known}"
            )
        return self.keys.index(key)

    def label(self, number: int) -> str:
        """``camera 2``, or ``camera 2 sequence 1``."""
        return self._label(self.keys[number])

    def _label(self, key: tuple[int, int]) -> str:
        return f"camera {key[0]}" + (f" sequence {key[1]}" if self.kind == "view" else "")


def _keys(kind: str, cameras: Int64, sequences: Int64) -> Iterator[tuple[int, int]]:
    places = sequences if kind == "view" else np.zeros_like(cameras)
    return zip(cameras.tolist(), places.tolist(), strict=True)
