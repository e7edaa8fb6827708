"""Pictures of a batch mixed with each other."""

from __future__ import annotations

import torch

_ATTEMPTS = 64


def draw_partners(
    identities: torch.Tensor, pairs: str, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """For every picture another one of the batch.

    Args:
        identities: ``(B,)``; unlabelled pictures neither get nor are a partner.
        pairs: ``any``, ``different`` or ``same`` identity.
        generator: on the same device.

    Returns:
        ``(B,) int64`` rows, and ``(B,) bool``: where there is one at all.
    """
    count = len(identities)
    same = identities[:, None] == identities
    allowed = {"any": torch.ones_like(same), "different": ~same, "same": same}[pairs]
    labelled = identities >= 0
    allowed = allowed & labelled & labelled[:, None]
    allowed &= ~torch.eye(count, dtype=torch.bool, device=identities.device)
    draws = torch.rand((count, count), generator=generator, device=identities.device)
    return torch.where(allowed, draws, -1).argmax(1), allowed.any(1)


def draw_beta(alpha: float, count: int, generator: torch.Generator) -> torch.Tensor:
    """``(count,)`` draws of the distribution Beta(alpha, alpha), alpha at most 1.

    (Jöhnk, Erzeugung von betaverteilten und gammaverteilten Zufallszahlen, Metrika 8, 1964: powers of two
    uniform draws, taken where their sum does not exceed 1, which at least every other pair does.)
    """
    shape = (count, _ATTEMPTS, 2)
    draws = torch.rand(shape, generator=generator, device=generator.device, dtype=torch.float64)
    powers = draws ** (1 / alpha)
    total = powers.sum(-1)
    first = ((total <= 1) & (total > 0)).to(torch.uint8).argmax(1, keepdim=True)
    return (powers[..., 0] / total).gather(1, first)[:, 0].float()


def mix(images: torch.Tensor, partners: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """``(B, ...)`` pictures: ``shares``, ``(B,)``, of each and the rest of its partner.

    (Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018.)
    """
    return torch.lerp(images[partners], images, shares.view(-1, *(1,) * (images.ndim - 1)))
