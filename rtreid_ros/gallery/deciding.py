"""Who a track shows: probabilities over all identities, and of being somebody new."""

from __future__ import annotations

import numpy as np

from rtreid_ros.types import Bool, Float64


def probabilities(
    log_odds: Float64, admissible: Bool, rivals: Bool, new_share: float
) -> tuple[Float64, Float64]:
    """Probabilities of T tracks to be one of K identities, or somebody new.

    Bayes' rule with a prior that is even over the admissible identities. The second best so needs no
    threshold of its own: where two identities explain a track alike, neither gets more than a half.
    Likewise, where two tracks of one camera seen at the same time are explained by one identity,
    which can be only one of them: each keeps its share.

    Args:
        log_odds: ``(T, K)`` log p(evidence | this identity) / p(evidence | another person).
        admissible: ``(T, K)`` whether it can be.
        rivals: ``(T, T)`` whether two tracks are certainly different people.
        new_share: prior probability of somebody new, where anybody is known.

    Returns:
        ``(T, K)`` and ``(T,)``. Rows sum to less than 1 where rivals took a share.
    """
    count = admissible.sum(axis=1)
    prior = np.divide(1 - new_share, count, out=np.zeros(len(count)), where=count > 0)
    weight = np.where(admissible, prior[:, None] * np.exp(log_odds), 0.0)
    total = weight.sum(axis=1) + new_share
    own = weight / total[:, None]
    contested = own + rivals.astype(np.float64) @ own
    share = np.divide(own, contested, out=np.zeros_like(own), where=contested > 0)
    return own * share, new_share / total
