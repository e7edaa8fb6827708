"""What a data set holds, as a table."""

from __future__ import annotations

import numpy as np

from rtreid_ros.datasets.identities.base import JUNK, UNKNOWN, IdentityDataset, IdentitySet


def describe_dataset(dataset: IdentityDataset) -> str:
    """A line per part: identities (junk is none), images, cameras, sequences."""
    titles = ("part", "identities", "images", "cameras", "sequences")
    lines = [dataset.name, "{:<9}{:>12}{:>9}{:>9}{:>11}".format(*titles)]
    for part in ("train", "query", "gallery"):
        pictures: IdentitySet = getattr(dataset, part)
        known = pictures.cameras != UNKNOWN
        recordings = np.stack([pictures.cameras, pictures.sequences])[:, pictures.sequences != UNKNOWN]
        numbers = (
            len(np.unique(pictures.identities[pictures.identities != JUNK])),
            len(pictures),
            len(np.unique(pictures.cameras[known])),
            np.unique(recordings, axis=1).shape[1],
        )
        lines.append("{:<9}{:>12}{:>9}{:>9}{:>11}".format(part, *numbers))
    return "\n".join(lines)
