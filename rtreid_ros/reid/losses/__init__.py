"""Losses by name, and the recipe that sums them. Needs torch.

* `base`: what a loss is, and what it is told of a batch;
* `identification` with `class_weights`: what losses of logits share; `cross_entropy`, `focal`, `lsro`;
* `distances`: what losses of pairs share; `triplet`, `weighted_triplet`, `circle`, `ranked_list`;
* `class_means`: what losses share that remember identities; `centre`, `cluster_contrast`;
* `memory`: pairs with batches gone by;
* `recipe`: the registry and the sum. A further loss is a module of its own and a line there.
"""

from __future__ import annotations

from rtreid_ros.reid.losses.base import UNLABELLED, Labels, Loss, LossOptions
from rtreid_ros.reid.losses.recipe import LOSSES, Recipe

__all__ = ["LOSSES", "UNLABELLED", "Labels", "Loss", "LossOptions", "Recipe"]
