"""What `bench/trackers.py` compares: sets of sequences, variants of their input, trackers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bench.peers import IMPLEMENTATIONS, OURS, Conditions, Ours


@dataclass(frozen=True)
class Benchmark:
    """A set of sequences with stored detections."""

    title: str
    folder: str
    detections: str
    part: str = "all"


SETS = {
    "mot17-val": Benchmark(
        "MOT17 second halves, YOLOX detections", "MOT17", "det/det_yolox_x_ablation.txt", "second-half"
    ),
    "mot17-frcnn": Benchmark("MOT17, public FRCNN detections", "MOT17", "det/det_public_frcnn.txt"),
    "dancetrack": Benchmark("DanceTrack, YOLOX detections", "DanceTrack-val", "det/det_yolox.txt"),
}


@dataclass(frozen=True)
class Variant:
    """What trackers are given.

    Attributes:
        title: as the tables call it.
        embeddings: noise of simulated embeddings; None = there are none.
        camera_motion: whether the stored affines are given.
        drop: share of the frames left out at random.
        told: the real time of each frame; otherwise updates count as 1/rate.
        other_report: our trackers give the box that is not their default (filtered for detected).
        sets: where it is run.
    """

    title: str
    embeddings: float | None = None
    camera_motion: bool = False
    drop: float = 0.0
    told: bool = False
    other_report: bool = False
    sets: tuple[str, ...] = tuple(SETS)

    @property
    def is_plain(self) -> bool:
        """Whether every frame is there, and ours report what they report by default."""
        return not self.drop and not self.other_report

    def suits(self, implementation: str, tracker: str) -> bool:
        """Whether the tracker of that package can make use of it."""
        package = IMPLEMENTATIONS[implementation]
        return (
            tracker in package.trackers
            and (self.embeddings is None or tracker in package.appearance)
            and (not self.camera_motion or tracker in package.motion)
            and (not self.told or package.takes_time)
            and (not self.other_report or implementation == OURS)
        )

    def conditions(self, tracker: str) -> Conditions:
        """The same for one tracker."""
        options: tuple[tuple[str, Any], ...] = ()
        if self.other_report:
            options = (("report", Ours.other_report(tracker)),)
        return Conditions(self.embeddings is not None, self.camera_motion, self.told, options)


def variants(drop: float) -> dict[str, Variant]:
    """What is compared; `drop` is the share of frames left out where some are."""
    percent = f"{100 * drop:g} % of the frames dropped"
    first = ("mot17-val",)
    mot17 = ("mot17-val", "mot17-frcnn")
    yolox = ("mot17-val", "dancetrack")
    looks = "embeddings .05, camera motion"
    return {
        "boxes": Variant("boxes alone"),
        "motion": Variant("camera motion", camera_motion=True),
        "emb05": Variant("embeddings .05", 0.05, sets=mot17),
        "emb15": Variant("embeddings .15", 0.15, sets=first),
        "emb05-motion": Variant(looks, 0.05, camera_motion=True),
        "emb15-motion": Variant("embeddings .15, camera motion", 0.15, camera_motion=True, sets=first),
        "drop": Variant(percent, drop=drop, sets=first),
        "drop-told": Variant(f"{percent}, real time told", drop=drop, told=True, sets=first),
        "drop-motion": Variant(f"{percent}, camera motion", None, True, drop, sets=yolox),
        "drop-motion-told": Variant(
            f"{percent}, camera motion, real time told", None, True, drop, told=True, sets=yolox
        ),
        "report": Variant("the other box reported", other_report=True, sets=yolox),
        "report-emb05-motion": Variant(
            f"the other box reported, {looks}", 0.05, True, other_report=True, sets=first
        ),
    }


@dataclass(frozen=True)
class Run:
    """One tracker of one package under one variant on one set: a row of the table."""

    set_name: str
    variant_name: str
    variant: Variant
    tracker: str
    implementation: str

    @property
    def key(self) -> str:
        """By which results are kept."""
        return "/".join((self.set_name, self.variant_name, self.tracker, self.implementation))


def plan(
    sets: Iterable[str],
    chosen: dict[str, Variant],
    trackers: Iterable[str],
    implementations: Iterable[str],
) -> list[Run]:
    """Every run that makes sense, a tracker's implementations next to each other."""
    return [
        Run(set_name, variant_name, variant, tracker, implementation)
        for set_name in sets
        for variant_name, variant in chosen.items()
        if set_name in variant.sets
        for tracker in trackers
        for implementation in implementations
        if variant.suits(implementation, tracker)
    ]
