"""KITTI tracking folders, made up: cars, vans, people who stand or sit, and regions nobody labelled."""

import numpy as np

TAIL = "1.5 1.6 3.9 0 0 20 0"


def line(frame, identity, kind, corners, truncated=0, occluded=0, score=None):
    box = " ".join(f"{value:.3f}" for value in corners)
    end = "" if score is None else f" {score:.4f}"
    return f"{frame} {identity} {kind} {truncated} {occluded} -1.5 {box} {TAIL}{end}\n"


def street(seed, length):
    """Label lines of `length` frames."""
    rng = np.random.default_rng(seed)
    kinds = rng.choice(["Car", "Car", "Van", "Pedestrian", "Pedestrian", "Person", "Cyclist"], 14)
    place, speed = rng.uniform(0, 1000, (14, 2)) * (1, 0.3), rng.normal(0, 6, (14, 2)) * (1, 0.2)
    size = rng.uniform(18, 90, (14, 1)) * np.where(np.char.equal(kinds, "Car")[:, None], (1.6, 1), (0.5, 1))
    lines = []
    for frame in range(length):
        place = place + speed
        for identity, kind in enumerate(kinds):
            if rng.random() < 0.9:
                corners = (*place[identity], *(place[identity] + size[identity]))
                hidden = rng.choice([0, 0, 0, 1, 2, 3])
                lines.append(line(frame, identity, kind, corners, int(rng.random() < 0.1), hidden))
        lines.append(line(frame, -1, "DontCare", (600, 0, 900, 300), -1, -1))
    return lines


def found(labels, seed):
    """Result lines: the labels jittered, some missing, some of another class, ids that break."""
    rng = np.random.default_rng(seed)
    lines = []
    for text in labels:
        words = text.split()
        frame, identity, kind = int(words[0]), int(words[1]), words[2]
        box = np.array(words[6:10], float)
        if kind == "DontCare":
            for extra in range(3):  # false alarms, some of them inside the region, some small
                left, top = rng.uniform(0, 1000), rng.uniform(0, 300)
                corners = (left, top, left + 30, top + rng.choice([20, 25, 26, 60]))
                lines.append(line(frame, 900 + extra, rng.choice(["Car", "Pedestrian"]), corners, score=0.5))
        elif rng.random() < 0.85:
            said = {"Van": "Car", "Person": "Pedestrian"}.get(kind, kind)
            said = rng.choice([said, said, said, "Car", "Pedestrian"])
            corners = box + rng.normal(0, 2.5, 4)
            corners[2:] = np.maximum(corners[2:], corners[:2] + 1)
            lines.append(line(frame, identity * 10 + frame // 8, said, corners, score=0.9))
    return lines


def write(folder, lengths):
    """``training/`` with labels, seqmap and detections of sequences of those lengths; and results."""
    training, results = folder / "training", folder / "results"
    (training / "label_02").mkdir(parents=True)
    (training / "det_02").mkdir()
    results.mkdir()
    seqmap = []
    for seed, (name, length) in enumerate(lengths.items()):
        labels = street(seed, length)
        (training / "label_02" / f"{name}.txt").write_text("".join(labels))
        (results / f"{name}.txt").write_text("".join(found(labels, seed)))
        (training / "det_02" / f"{name}.txt").write_text("".join(found(labels, seed + 100)))
        seqmap.append(f"{name} empty 000000 {length:06d}\n")
    (training / "evaluate_tracking.seqmap.training").write_text("".join(seqmap))
    return training, results
