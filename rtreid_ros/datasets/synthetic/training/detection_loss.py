"""What the detector is taught: which cell answers for which person, and how wrong it is."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch.nn import functional

from rtreid_ros.datasets.synthetic.training.networks import BINS, decode

_CANDIDATES = 10
_SCORE_POWER, _OVERLAP_POWER = 0.5, 6.0


def overlap(a: Any, b: Any, complete: bool) -> Any:
    """IoU, or CIoU with `complete`, of corner boxes that broadcast to ``(..., 4)``.

    CIoU: Zheng et al., Distance-IoU Loss, 2020, equations 10 and 11.
    """
    low, high = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    size_a, size_b = (a[..., 2:] - a[..., :2]).clamp(min=1e-3), (b[..., 2:] - b[..., :2]).clamp(min=1e-3)
    iou = shared / (size_a.prod(-1) + size_b.prod(-1) - shared)
    if not complete:
        return iou
    hull = torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])
    apart = (a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) / 2
    angle = torch.atan(size_a[..., 0] / size_a[..., 1]) - torch.atan(size_b[..., 0] / size_b[..., 1])
    aspect = (4 / math.pi**2) * angle**2
    with torch.no_grad():
        weight = aspect / (1 - iou + aspect + 1e-7)
    return iou - (apart**2).sum(-1) / ((hull**2).sum(-1) + 1e-7) - weight * aspect


@torch.no_grad()  # type: ignore[untyped-decorator]
def assign(scores: Any, boxes: Any, truth: Any, valid: Any, centres: Any) -> tuple[Any, Any, Any]:
    """Task-aligned assignment (Feng et al., TOOD, 2021, section 3.2).

    Args:
        scores: ``(B, N)`` in [0, 1].
        boxes: ``(B, N, 4)`` predicted corners.
        truth: ``(B, G, 4)`` padded corners.
        valid: ``(B, G) bool``, rows that are no padding.
        centres: ``(N, 2)`` of the cells.

    Returns:
        ``(B, N)`` row of the person each cell answers for, ``(B, N) bool`` whether it answers for
        any, ``(B, N)`` the score it should give.
    """
    inside = (centres > truth[:, :, None, :2]).all(-1) & (centres < truth[:, :, None, 2:]).all(-1)
    inside &= valid[..., None]
    iou = overlap(boxes[:, None], truth[:, :, None], complete=False) * inside
    metric = scores[:, None] ** _SCORE_POWER * iou**_OVERLAP_POWER
    best = metric.topk(_CANDIDATES, dim=-1)
    chosen = torch.zeros_like(inside).scatter_(-1, best.indices, best.values > 1e-12) & inside
    # a cell wanted by several people goes to the one it overlaps most
    owner = (iou * chosen).argmax(1)
    chosen &= functional.one_hot(owner, truth.shape[1]).transpose(1, 2).bool()
    positive = chosen.any(1)
    metric, iou = metric * chosen, iou * chosen
    peak = metric.amax(-1, keepdim=True).clamp(min=1e-12)
    # the root keeps scores of well-seen but small people from sinking with their IoU
    target = (metric / peak * iou.amax(-1, keepdim=True).sqrt()).amax(1)
    return owner, positive, target


def detection_loss(
    scores: Any, sides: Any, truth: Any, valid: Any, counts: Any, centres: Any, strides: Any
) -> Any:
    """Scalar loss of one batch.

    Args:
        scores: ``(B, N)`` logits.
        sides: ``(B, N, 4, BINS)`` logits.
        truth: ``(B, G, 4)`` padded corners in pixels.
        valid: ``(B, G) bool``.
        counts: ``(B, G) bool``, False where a person is hardly visible: cells there are not judged.
        centres: ``(N, 2)``.
        strides: ``(N, 1)``.
    """
    boxes = decode(sides, centres, strides)
    owner, positive, target = assign(
        scores.detach().sigmoid(), boxes.detach(), truth, valid & counts, centres
    )
    hardly = (valid & ~counts)[..., None] & (centres > truth[:, :, None, :2]).all(-1)
    hardly &= (centres < truth[:, :, None, 2:]).all(-1)
    judged = positive | ~hardly.any(1)
    total = target.sum().clamp(min=1.0)
    score_loss = (
        functional.binary_cross_entropy_with_logits(scores, target, reduction="none") * judged
    ).sum()
    if not positive.any():
        return score_loss / total
    wanted = torch.gather(truth, 1, owner[..., None].expand(-1, -1, 4))[positive]
    weight = target[positive]
    box_loss = ((1 - overlap(boxes[positive], wanted, complete=True)) * weight).sum()
    origin = centres.expand(len(truth), -1, -1)[positive]
    distance = torch.cat([origin - wanted[:, :2], wanted[:, 2:] - origin], -1)
    distance = (distance / strides[:, 0].expand(len(truth), -1)[positive][:, None]).clamp(0, BINS - 1.01)
    lower = distance.long()
    share = distance - lower
    logits = sides[positive].flatten(0, 1)
    entropy = functional.cross_entropy(logits, lower.flatten(), reduction="none") * (1 - share.flatten())
    entropy = (
        entropy + functional.cross_entropy(logits, lower.flatten() + 1, reduction="none") * share.flatten()
    )
    side_loss = (entropy.reshape(-1, 4).mean(-1) * weight).sum()
    return (0.5 * score_loss + 7.5 * box_loss + 1.5 * side_loss) / total
