"""From a checkpoint to files of pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from rtreid_ros.gan.checkpoint import GanCheckpoint
from rtreid_ros.gan.grid import check_picture_name, tile, write_picture
from rtreid_ros.gan.sampling import CHUNK, check_group, draw_groups, generate, latents
from rtreid_ros.gan.writing import PictureWriter

_ON_GRID, _COLUMNS = 96, 12


def generate_files(
    checkpoint: GanCheckpoint,
    output: Path,
    numbers: range,
    *,
    seed: int = 0,
    group: int | None = None,
    kind: str = "jpg",
    grid: Path | None = None,
    device: torch.device | str = "cpu",
    progress: bool = True,
) -> None:
    """Make the pictures of `numbers` and write them with an index.

    Args:
        checkpoint: of the generator.
        output: new folder, or ``FILE.tar``.
        numbers: which pictures of the seed; each is the same whichever others are asked for.
        seed: see above.
        group: all from this group; None = as frequent as in training.
        kind: ``jpg`` or ``png``.
        grid: file for the first 96 on one picture.
        device: where it computes.
        progress: whether to show a bar.

    Raises:
        ConfigError: no such group, or the output exists, or a name says no known format.
        ModelError: the weights do not fit, or are no finite numbers.
        SinkError: something cannot be written.
    """
    counts = checkpoint.counts
    if group is not None:
        check_group(group, len(counts))
    if grid is not None:
        check_picture_name(grid)
    network = checkpoint.create_generator().to(device)
    shown: list[torch.Tensor] = []
    with (
        PictureWriter(output, kind) as writer,
        tqdm(total=len(numbers), desc="generate", unit="img", disable=not progress) as bar,
    ):
        # whole chunks that begin at the same numbers whatever is asked for: each picture has its place in one
        for begin in range(numbers.start // CHUNK * CHUNK, numbers.stop, CHUNK):
            part = range(begin, begin + CHUNK)
            groups = None
            if counts:
                groups = draw_groups(seed, part, counts) if group is None else np.full(len(part), group)
            images = generate(network, latents(seed, part, network.latent), groups, device)
            for place, number in enumerate(part):
                if number in numbers:
                    writer.add(images[place], seed, number, None if groups is None else int(groups[place]))
                    shown += [images[place]] if len(shown) < _ON_GRID else []
                    bar.update()
    if grid is not None:
        write_picture(tile(torch.stack(shown), min(_COLUMNS, len(shown))), grid)
