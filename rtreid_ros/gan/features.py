"""Features of pictures by a stated network: for grouping them, and for judging generated ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from tqdm import tqdm

from rtreid_ros.errors import ModelError
from rtreid_ros.options import option
from rtreid_ros.reid import EmbedderOptions, create_embedder
from rtreid_ros.reid.backends import PEOPLE
from rtreid_ros.reid.crops import stack_crops
from rtreid_ros.types import Float32

_BATCH = 64


@dataclass(frozen=True, slots=True)
class FeatureOptions:
    """Which network looks at pictures."""

    model: str = option(PEOPLE, "embedder: a file or a built-in one; figures of another are not comparable")
    preprocessing: str = option("metadata", "how it wants its pixels, see rtreid track --help")


class FeatureNetwork:
    """An embedder, as it is used on robots.

    Args:
        options: which.
        threads: of inference; 0 = all cores.

    Attributes:
        name: of its file, which belongs to every figure.

    Raises:
        ModelError: it cannot be loaded.
    """

    def __init__(self, options: FeatureOptions, threads: int = 0) -> None:
        self._embedder = create_embedder(
            EmbedderOptions(model=options.model, preprocessing=options.preprocessing, threads=threads)
        )
        self.name = self._embedder.info.name

    def of(self, images: torch.Tensor, progress: bool = False) -> Float32:
        """``(N, D)`` features of ``(N, 3, H, W) uint8`` RGB pictures.

        Embeddings have length 1; these have the root of D, so that a component is about 1 in size, as the
        kernel of `kernel_distance` was made for.

        Raises:
            ModelError: the network gives no direction for a picture.
        """
        found = []
        with tqdm(total=len(images), desc="features", unit="image", leave=False, disable=not progress) as bar:
            for part in images.split(_BATCH):
                sheet, boxes = stack_crops(list(part.flip(1).permute(0, 2, 3, 1).cpu().numpy()))
                found.append(self._embedder.embed(sheet, boxes))
                bar.update(len(part))
        features = np.concatenate(found)
        if not np.isfinite(features).all():
            raise ModelError(f"{self.name} gives no finite vector for some of {len(images)} pictures")
        scaled: Float32 = features * np.float32(np.sqrt(features.shape[1]))
        return scaled
