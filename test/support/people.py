"""People of one look each, as a data set to train on."""

import cv2
import numpy as np


def write_people(folder, people=11, pictures=4, size=(32, 16)):
    """A Market-1501 training part: everybody has stripes of colours; two cameras; noise."""
    rng = np.random.default_rng(0)
    train = folder / "bounding_box_train"
    train.mkdir(parents=True)
    for person in range(people):
        colours = rng.integers(30, 226, (size[0] // 8, 1, 3))
        for number in range(pictures):
            image = np.repeat(colours, 8, axis=0).repeat(size[1], axis=1)
            image = np.clip(image + rng.normal(0, 12, image.shape), 0, 255).astype(np.uint8)
            name = f"{person:04d}_c{number % 2 + 1}s1_{number:06d}_01.png"
            cv2.imwrite(str(train / name), image)
    return folder
