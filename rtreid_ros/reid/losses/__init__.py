"""Losses by name, and the recipe that sums them. Needs torch."""

from __future__ import annotations

from rtreid_ros.reid.losses.base import UNLABELLED, Labels, Loss, LossOptions
from rtreid_ros.reid.losses.recipe import LOSSES, Recipe

__all__ = ["LOSSES", "UNLABELLED", "Labels", "Loss", "LossOptions", "Recipe"]
