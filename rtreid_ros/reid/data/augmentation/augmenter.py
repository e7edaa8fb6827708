"""The chain of augmentations."""

from __future__ import annotations

import torch

from rtreid_ros.errors import ConfigError, InputError
from rtreid_ros.reid.data.augmentation.geometry import flip_and_crop
from rtreid_ros.reid.data.augmentation.normalisation import normalise
from rtreid_ros.reid.data.augmentation.options import AugmentationOptions
from rtreid_ros.reid.data.augmentation.rectangles import draw_rectangles, erase, inside
from rtreid_ros.reid.losses.base import Labels
from rtreid_ros.reid.preprocessing import Preprocessing


class Augmenter:
    """Augments and normalises batches.

    Args:
        options: what happens, and how often.
        preprocessing: how the network wants its pixels.
        size: ``(height, width)`` of the pictures.

    Raises:
        ConfigError: options that contradict each other.
    """

    def __init__(
        self, options: AugmentationOptions, preprocessing: Preprocessing, size: tuple[int, int]
    ) -> None:
        if options.erasing_least > options.erasing_most:
            raise ConfigError(
                f"erasing_least must not exceed erasing_most, got {options.erasing_least:g} and "
                f"{options.erasing_most:g}"
            )
        self.options, self.preprocessing, self.size = options, preprocessing, size
        self._pad = round(options.pad * size[0])

    def __call__(
        self, images: torch.Tensor, labels: Labels, generator: torch.Generator
    ) -> tuple[torch.Tensor, Labels]:
        """The batch as it trains.

        Args:
            images: ``(B, 3, H, W) uint8`` RGB, or clips ``(B, T, 3, H, W)``, whose frames are treated alike.
            labels: who is on them.
            generator: of all draws, on the device of `images`.

        Returns:
            Pictures of the same shape, normalised float32, and their labels.

        Raises:
            InputError: pictures of another size or type.
        """
        if images.dtype != torch.uint8 or images.shape[-3:] != (3, *self.size) or images.ndim not in (4, 5):
            raise InputError(
                f"images must be uint8 of shape (batch, 3, {self.size[0]}, {self.size[1]}), got "
                f"{images.dtype} of shape {tuple(images.shape)}"
            )
        shape = images.shape
        clips = images if images.ndim == 5 else images[:, None]
        clips = self._move(clips, generator)
        clips = normalise(clips, self.preprocessing)
        clips = self._erase(clips, generator)
        return clips.reshape(shape), labels

    def _chance(self, probability: float, count: int, generator: torch.Generator) -> torch.Tensor:
        return torch.rand(count, generator=generator, device=generator.device) < probability

    def _move(self, clips: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        options, pad, count = self.options, self._pad, len(clips)
        if not options.flip and not pad:
            return clips
        flipped = self._chance(options.flip, count, generator)
        corners = torch.randint(2 * pad + 1, (count, 2), generator=generator, device=generator.device)
        return flip_and_crop(clips, flipped, corners, pad)

    def _erase(self, clips: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        options = self.options
        if not options.erasing:
            return clips
        chosen = self._chance(options.erasing, len(clips), generator)
        area = (options.erasing_least, options.erasing_most)
        rectangles = draw_rectangles(len(clips), self.size, area, options.erasing_aspect, generator)
        return erase(clips, inside(rectangles * chosen[:, None], self.size))
