"""The chain of augmentations."""

from __future__ import annotations

import math

import torch

from rtreid_ros.errors import InputError
from rtreid_ros.reid.data.augmentation.background import person_prior
from rtreid_ros.reid.data.augmentation.colour import grey_inside, jitter, luma, mix_channels, sketch
from rtreid_ros.reid.data.augmentation.distance import Distance
from rtreid_ros.reid.data.augmentation.geometry import cut_affine, flip_and_crop
from rtreid_ros.reid.data.augmentation.mixing import draw_beta, draw_partners, mix
from rtreid_ros.reid.data.augmentation.normalisation import normalise
from rtreid_ros.reid.data.augmentation.occlusion import draw_below, draw_side, paste
from rtreid_ros.reid.data.augmentation.options import AugmentationOptions
from rtreid_ros.reid.data.augmentation.rectangles import draw_rectangles, erase, inside
from rtreid_ros.reid.data.augmentation.selection import draw_chance, uniform, where_chosen
from rtreid_ros.reid.losses.base import Labels
from rtreid_ros.reid.preprocessing import Preprocessing


class Augmenter:
    """Augments and normalises batches.

    In this order: mirrored and cut out of the padded picture; cut as by another detector; before another
    background; occluded; seen from afar; in other light; greyed; normalised; erased; mixed.

    Args:
        options: what happens, and how often.
        preprocessing: how the network wants its pixels.
        size: ``(height, width)`` of the pictures.
    """

    def __init__(
        self, options: AugmentationOptions, preprocessing: Preprocessing, size: tuple[int, int]
    ) -> None:
        self.options, self.preprocessing, self.size = options, preprocessing, size
        self._pad = round(options.pad * size[0])
        self._distance = Distance(options.far_least, size) if options.far else None
        self._area = (options.erasing_least, options.erasing_most)
        self._greys = options.local_grey + options.grey
        self._mixes = options.channel_mix + options.sketch_mix
        self._person = person_prior(size) if options.background else None
        changes = (options.affine, options.background, options.occlusion, options.far, options.jitter)
        self._float = any((*changes, self._greys, self._mixes))

    def __call__(
        self, images: torch.Tensor, labels: Labels, generator: torch.Generator
    ) -> tuple[torch.Tensor, Labels]:
        """The batch as it trains.

        Args:
            images: ``(B, 3, H, W) uint8`` RGB, or clips ``(B, T, 3, H, W)``, whose frames are treated alike.
            labels: who is on them.
            generator: of all draws, on the device of `images`.

        Returns:
            Pictures of the same shape, normalised float32, and their labels, which mixing adds to.

        Raises:
            InputError: pictures of another size or type.
        """
        if images.dtype != torch.uint8 or images.shape[-3:] != (3, *self.size) or images.ndim not in (4, 5):
            raise InputError(
                f"images must be uint8 of shape (batch, 3, {self.size[0]}, {self.size[1]}), got "
                f"{images.dtype} of shape {tuple(images.shape)}"
            )
        clips = images if images.ndim == 5 else images[:, None]
        clips = self._flip_and_crop(clips, generator)
        if self._float:
            clips = clips.float()
            clips = self._cut(clips, generator)
            clips = self._replace_background(clips, labels, generator)
            clips = self._occlude(clips, labels, generator)
            clips = self._remove(clips, generator)
            clips = self._light(clips, generator)
            clips = self._grey(clips, generator)
        clips = normalise(clips, self.preprocessing)
        clips = self._erase(clips, generator)
        clips, labels = self._mix(clips, labels, generator)
        return clips.reshape(images.shape), labels

    def _flip_and_crop(self, clips: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        if not self.options.flip and not self._pad:
            return clips
        flipped = draw_chance(self.options.flip, len(clips), generator)
        corners = torch.randint(
            2 * self._pad + 1, (len(clips), 2), generator=generator, device=generator.device
        )
        return flip_and_crop(clips, flipped, corners, self._pad)

    def _cut(self, clips: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        options, count = self.options, len(clips)
        if not options.affine:
            return clips
        chosen = draw_chance(options.affine, count, generator)
        sides = torch.randn((count, 4), generator=generator, device=generator.device) * options.affine_shift
        most = math.radians(options.affine_rotation)
        return where_chosen(chosen, clips, cut_affine, sides, uniform(-most, most, (count,), generator))

    def _replace_background(
        self, clips: torch.Tensor, labels: Labels, generator: torch.Generator
    ) -> torch.Tensor:
        if self._person is None:
            return clips
        person = self._person = self._person.to(clips.device)
        partners, found = draw_partners(labels.identities, "different", generator)
        chosen = draw_chance(self.options.background, len(clips), generator) & found

        def work(images: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
            return torch.lerp(clips[rows], images, person)

        return where_chosen(chosen, clips, work, partners)

    def _occlude(self, clips: torch.Tensor, labels: Labels, generator: torch.Generator) -> torch.Tensor:
        options, count = self.options, len(clips)
        if not options.occlusion:
            return clips
        partners, found = draw_partners(labels.identities, "different", generator)
        chosen = draw_chance(options.occlusion, count, generator) & found
        draw = draw_below if options.occlusion_from == "below" else draw_side

        def work(images: torch.Tensor, rows: torch.Tensor, *places: torch.Tensor) -> torch.Tensor:
            return paste(images, clips[rows], *places)

        return where_chosen(chosen, clips, work, partners, *draw(count, self.size, generator))

    def _remove(self, clips: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        if self._distance is None:
            return clips
        chosen = draw_chance(self.options.far, len(clips), generator)
        levels = torch.randint(
            len(self._distance.scales), (len(clips),), generator=generator, device=generator.device
        )
        return where_chosen(chosen, clips, self._distance, levels)

    def _light(self, clips: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        options, count = self.options, len(clips)
        if not options.jitter:
            return clips
        chosen = draw_chance(options.jitter, count, generator)
        brightness = uniform(1 - options.brightness, 1 + options.brightness, (count, 1), generator)
        tint = uniform(1 - options.tint, 1 + options.tint, (count, 3), generator)
        contrast = uniform(1 - options.contrast, 1 + options.contrast, (count,), generator)
        saturation = uniform(1 - options.saturation, 1 + options.saturation, (count,), generator)
        return where_chosen(chosen, clips, jitter, brightness * tint, contrast, saturation)

    def _grey(self, clips: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        options, count = self.options, len(clips)
        if not self._greys and not self._mixes:
            return clips
        draw = uniform(0, 1, (count,), generator)
        if self._greys:
            rectangles = draw_rectangles(count, self.size, self._area, options.erasing_aspect, generator)
            whole = draw >= options.local_grey
            mask = inside(rectangles, self.size) | whole[:, None, None, None, None]
            clips = where_chosen(draw < self._greys, clips, grey_inside, mask)
        if self._mixes:
            order = uniform(0, 1, (count, 5), generator).argsort(1)[:, :3]
            sketched = draw >= self._greys + options.channel_mix
            chosen = (draw >= self._greys) & (draw < self._greys + self._mixes)
            clips = where_chosen(chosen & ~sketched, clips, _mix_grey, order)
            clips = where_chosen(chosen & sketched, clips, _mix_sketch, order)
        return clips

    def _erase(self, clips: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        options, count = self.options, len(clips)
        if not options.erasing:
            return clips
        chosen = draw_chance(options.erasing, count, generator)
        rectangles = draw_rectangles(count, self.size, self._area, options.erasing_aspect, generator)
        return erase(clips, inside(rectangles * chosen[:, None], self.size))

    def _mix(
        self, clips: torch.Tensor, labels: Labels, generator: torch.Generator
    ) -> tuple[torch.Tensor, Labels]:
        options, count = self.options, len(clips)
        if not options.mixup:
            return clips, labels
        partners, found = draw_partners(labels.identities, options.mixup_pairs, generator)
        chosen = draw_chance(options.mixup, count, generator) & found
        shares = draw_beta(options.mixup_alpha, count, generator)
        shares = torch.where(chosen, shares, 1)
        others = torch.where(chosen, labels.identities[partners], labels.identities)
        # two pictures of somebody make one that is wholly of him
        own = torch.where(others == labels.identities, 1, shares)
        return mix(clips, partners, shares), labels._replace(others=others, shares=own)


def _mix_grey(images: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
    return mix_channels(images, luma(images), order)


def _mix_sketch(images: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
    return mix_channels(images, sketch(luma(images)), order)
