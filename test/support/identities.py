"""Identity data sets made up: tiny pictures under the names of the published layouts."""

import io
import tarfile

import cv2
import numpy as np

from rtreid_ros.datasets.identities import IdentitySet


def picture(number, size=(8, 4)):
    """A flat picture whose blue level says which one it is."""
    image = np.full((*size, 3), 90, np.uint8)
    image[..., 0] = number
    return image


def png(number, size=(8, 4)):
    return cv2.imencode(".png", picture(number, size))[1].tobytes()


def fill(root, names):
    """Write picture i under the i-th name below `root`; lossless, whatever the suffix says."""
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(number))
    return root


def pack(path, names, prefix=""):
    """The same as an uncompressed tar file."""
    with tarfile.open(path, "w:") as archive:
        for number, name in enumerate(names):
            content = png(number)
            member = tarfile.TarInfo(prefix + name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def number_of(image):
    """Which `picture` this is."""
    return int(image[0, 0, 0])


def in_memory(identities, cameras=None, size=(8, 4), read=None):
    """A set of flat pictures of these identities."""
    count = len(identities)
    cameras = np.zeros(count, np.int64) if cameras is None else np.array(cameras, np.int64)
    names = tuple(f"{number:04d}.png" for number in range(count))
    identities = np.array(identities, np.int64)
    return IdentitySet(
        names, identities, cameras, np.zeros(count, np.int64), read or (lambda row: picture(row, size))
    )
