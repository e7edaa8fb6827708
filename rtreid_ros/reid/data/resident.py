"""All pictures of a set, decoded once, in the memory of the device that trains."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from tqdm import tqdm

from rtreid_ros.datasets.identities.base import IdentitySet, report_unreadable
from rtreid_ros.errors import InputError, SourceError
from rtreid_ros.types import Int64, UInt8

logger = logging.getLogger(__name__)

_CHUNK = 512
"""Pictures decoded before they go to the device together."""
_RESERVE = 0.9
"""Share of the free memory that pictures may take."""


@dataclass(frozen=True, slots=True, eq=False)
class ResidentImages:
    """N pictures of one size, and who is on them.

    Attributes:
        images: ``(N, 3, H, W) uint8`` RGB on the device.
        identities: ``(N,) int64`` as the data set numbers them.
        classes: ``(N,) int64``: the same as 0..C-1.
        cameras: ``(N,) int64``; see `IdentitySet`.
        sequences: ``(N,) int64``; see `IdentitySet`.
        names: N names.
        unreadable: names of the pictures that could not be read; they are left out of all the others.
    """

    images: torch.Tensor
    identities: Int64
    classes: Int64
    cameras: Int64
    sequences: Int64
    names: tuple[str, ...]
    unreadable: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def as_set(self) -> IdentitySet:
        """The same as a set like any other, its pictures as large as they are resident."""

        def read(row: int) -> UInt8:
            picture: UInt8 = self.images[row].flip(0).permute(1, 2, 0).contiguous().cpu().numpy()
            return picture

        return IdentitySet(self.names, self.identities, self.cameras, self.sequences, read)

    @classmethod
    def load(
        cls,
        pictures: IdentitySet,
        size: tuple[int, int],
        device: str | torch.device = "cpu",
        progress: bool = True,
    ) -> ResidentImages:
        """Decode `pictures` on all cores and resize each, bilinearly, to ``(height, width)``.

        Those that cannot be read are left out, counted and, the first of them, named in a warning.

        Raises:
            InputError: there are no pictures, or the device has no room for them.
            SourceError: none can be read.
        """
        if not len(pictures):
            raise InputError("no pictures to load: the set is empty")
        height, width = size
        needed = len(pictures) * 3 * height * width
        _check_room(needed, len(pictures), size, torch.device(device))
        images = torch.empty((len(pictures), 3, height, width), dtype=torch.uint8, device=device)
        staging = torch.empty((min(_CHUNK, len(pictures)), 3, height, width), dtype=torch.uint8)
        readable = np.zeros(len(pictures), bool)
        reasons: list[str] = []
        filled = 0
        threads = len(os.sched_getaffinity(0))
        bar = tqdm(total=len(pictures), desc="decode", unit="image", disable=not progress)
        with bar, ThreadPoolExecutor(threads) as pool:
            for start in range(0, len(pictures), _CHUNK):
                rows = range(start, min(start + _CHUNK, len(pictures)))
                work = _decoder(pictures, staging.numpy(), start, (width, height))
                for row, reason in zip(rows, pool.map(work, rows), strict=True):
                    readable[row] = reason is None
                    if reason is not None:
                        reasons.append(reason)
                good = torch.from_numpy(np.flatnonzero(readable[start : rows.stop]))
                chunk = staging[: len(rows)] if len(good) == len(rows) else staging[good]
                images[filled : filled + len(good)] = chunk
                filled += len(good)
                bar.update(len(rows))
        report_unreadable(len(pictures), reasons)
        kept = pictures[readable]
        unreadable = tuple(name for name, good in zip(pictures.names, readable, strict=True) if not good)
        return cls(
            images[:filled],
            kept.identities,
            kept.classes(),
            kept.cameras,
            kept.sequences,
            kept.names,
            unreadable,
        )


def _decoder(
    pictures: IdentitySet, staging: UInt8, start: int, size: tuple[int, int]
) -> Callable[[int], str | None]:
    """A function that puts a row's picture into `staging`, or says why it cannot."""

    def decode(row: int) -> str | None:
        try:
            image = pictures.read(row)
        except SourceError as error:
            return str(error)
        planes = staging[row - start]
        resized = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
        cv2.split(resized, [planes[2], planes[1], planes[0]])
        return None

    return decode


def _check_room(needed: int, count: int, size: tuple[int, int], device: torch.device) -> None:
    """Log what the pictures take.

    Raises:
        InputError: the device has less than that.
    """
    free = free_memory(device)
    shape = f"{count} pictures of {size[0]}x{size[1]} take {needed / 2**20:.0f} MiB on {device}"
    if needed > _RESERVE * free:
        other = "; or keep them on the cpu" if device.type != "cpu" else ""
        raise InputError(
            f"{shape}, which has {free / 2**20:.0f} MiB free: choose a smaller size or fewer pictures{other}"
        )
    logger.info("%s (%.0f MiB free)", shape, free / 2**20)


def free_memory(device: torch.device) -> int:
    """Bytes that can still be allocated on `device`."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):  # no Linux: pages that hold nothing, without what caches would yield
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
