"""Augmentation of whole batches on the device that trains; every draw comes from one generator."""

from __future__ import annotations

from rtreid_ros.reid.data.augmentation.augmenter import Augmenter
from rtreid_ros.reid.data.augmentation.normalisation import normalise
from rtreid_ros.reid.data.augmentation.options import AugmentationOptions

__all__ = ["AugmentationOptions", "Augmenter", "normalise"]
