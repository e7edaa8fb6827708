"""Milliseconds that each augmentation adds to a batch, and how many pictures per second are decoded.

``python bench/augmentation.py [--size 128x64] [--batch 64] [--threads 2] [--device cpu] [--tar MARKET.tar]``

Each is on for every picture it can be on for ("all") and at its usual probability ("usual"); the time
is that of the fastest batch, less that of normalisation alone, so that other work on the machine counts
little. ``default`` is the default set.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import torch

from rtreid_ros.datasets.identities import open_identities
from rtreid_ros.reid.data import ResidentImages
from rtreid_ros.reid.data.augmentation import AugmentationOptions, Augmenter
from rtreid_ros.reid.losses.base import Labels
from rtreid_ros.reid.preprocessing import PRESETS

NOTHING = AugmentationOptions(flip=0, pad=0, erasing=0)
USUAL = {
    "flip": 0.5,
    "pad": 10 / 256,
    "erasing": 0.5,
    "affine": 0.5,
    "occlusion": 0.5,
    "far": 0.3,
    "jitter": 0.5,
    "local_grey": 0.35,
    "grey": 0.05,
    "channel_mix": 0.05,
    "sketch_mix": 0.05,
    "mixup": 0.5,
}


def measure(
    options: AugmentationOptions, size: tuple[int, int], batch: int, device: str, repeats: int
) -> float:
    """Milliseconds of the fastest batch."""
    generator = torch.Generator(device).manual_seed(0)
    images = torch.randint(256, (batch, 3, *size), generator=generator, device=device, dtype=torch.uint8)
    rows = torch.arange(batch, device=device)
    augmenter = Augmenter(options, PRESETS["imagenet"], size)
    spent = []
    for repeat in range(repeats + 5):
        if device != "cpu":
            torch.cuda.synchronize()
        begin = time.perf_counter()
        augmenter(images, Labels(rows // 4, rows), generator)
        if device != "cpu":
            torch.cuda.synchronize()
        if repeat >= 5:
            spent.append(1e3 * (time.perf_counter() - begin))
    return min(spent)


def main() -> None:
    """Print one line per augmentation."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="128x64", help="height x width")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--repeats", type=int, default=50)
    parser.add_argument("--tar", help="Market-1501's training part, for the speed of decoding")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    height, width = map(int, chosen.size.split("x"))

    def spent(options: AugmentationOptions) -> float:
        return measure(options, (height, width), chosen.batch, chosen.device, chosen.repeats)

    base = spent(NOTHING)
    print(f"batch of {chosen.batch} at {height}x{width}, {chosen.device}, {chosen.threads} threads; ms")
    print(f"{'':<12}{'usual':>8}{'all':>8}")
    print(f"{'normalise':<12}{base:>8.2f}{base:>8.2f}")
    for name, probability in USUAL.items():
        usual = spent(replace(NOTHING, **{name: probability})) - base
        whole = spent(replace(NOTHING, **{name: 1.0 if name != "pad" else probability})) - base
        print(f"{name:<12}{usual:>8.2f}{whole:>8.2f}")
    print(f"{'default':<12}{spent(AugmentationOptions()):>8.2f}")
    print(f"{'everything':<12}{spent(replace(NOTHING, **USUAL)):>8.2f}")
    if chosen.tar:
        train = open_identities("market1501", chosen.tar, "all").train
        begin = time.perf_counter()
        ResidentImages.load(train, (height, width), chosen.device, progress=False)
        seconds = time.perf_counter() - begin
        print(f"decoding: {len(train)} pictures in {seconds:.1f} s, {len(train) / seconds:.0f} per second")


if __name__ == "__main__":
    main()
