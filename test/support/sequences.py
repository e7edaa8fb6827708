"""MOTChallenge folders made up: people who walk to the right, detected as they are."""

import numpy as np

from rtreid_ros.recordings import RecordedFrame, Recording
from rtreid_ros.types import Detections


def boxes_at(number, people):
    """Left, top, width, height of each in frame `number`."""
    return [(10 + 100 * person + 2 * number, 20 + person, 40, 90) for person in range(people)]


def write(folder, name="A", *, length=12, people=2, rate=25, title=None, detections=("det",), motion=False):
    """A sequence folder; detection files of those names."""
    root = folder / name
    (root / "gt").mkdir(parents=True)
    (root / "det").mkdir()
    (root / "seqinfo.ini").write_text(
        f"[Sequence]\nname={title or name}\nframeRate={rate}\nseqLength={length}\nimWidth=640\nimHeight=480\n"
    )
    truth, found = [], []
    for number in range(1, length + 1):
        for person, (x, y, w, h) in enumerate(boxes_at(number, people), start=1):
            truth.append(f"{number},{person},{x},{y},{w},{h},1,1,1\n")
            found.append(f"{number},-1,{x},{y},{w},{h},{1 - 0.1 * person:.2f},-1,-1,-1\n")
    (root / "gt" / "gt.txt").write_text("".join(truth))
    for file in detections:
        (root / "det" / f"{file}.txt").write_text("".join(found))
    if motion:
        lines = [f"{index} 1 0 {index} 0 1 0\n" for index in range(length)]
        (root / "gmc.txt").write_text("".join(lines))
    return root


def recording(length=10, people=2, **more):
    """The same in memory, without truth unless given."""
    frames = []
    for number in range(1, length + 1):
        boxes = np.array(boxes_at(number, people), np.float32).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        frames.append(RecordedFrame(number, (number - 1) / 25, Detections(boxes, np.full(people, 0.9))))
    return Recording("A", 25, 640, 480, tuple(frames), length=length, **more)
