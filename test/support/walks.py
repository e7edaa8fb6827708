"""Folders of sequences in which people walk straight on, and are seen as told."""

import numpy as np

LENGTH, RATE, WIDTH, HEIGHT = 24, 10, 640, 480


def walk(folder, name, people=3, score=0.9, length=LENGTH, ghosts=0, truth=True):
    """A MOTChallenge sequence; `ghosts`: false detections per frame, scored 0.5, never twice in a place."""
    root = folder / name
    (root / "det").mkdir(parents=True)
    (root / "seqinfo.ini").write_text(
        f"[Sequence]\nname={name}\nframeRate={RATE}\nseqLength={length}\nimWidth={WIDTH}\nimHeight={HEIGHT}\n"
    )
    random = np.random.default_rng([people, len(name)])
    rows, seen = [], []
    for frame in range(1, length + 1):
        for person in range(people):
            box = f"{20 + 4 * frame + 5 * person},{20 + 90 * person},30,70"
            rows.append(f"{frame},{person + 1},{box},1,1,1\n")
            seen.append(f"{frame},-1,{box},{score},-1,-1,-1\n")
        for x, y in random.uniform((0, 0), (WIDTH - 30, HEIGHT - 70), (ghosts, 2)):
            seen.append(f"{frame},-1,{x:.1f},{y:.1f},30,70,0.5,-1,-1,-1\n")
    (root / "det" / "det.txt").write_text("".join(seen))
    if truth:
        (root / "gt").mkdir()
        (root / "gt" / "gt.txt").write_text("".join(rows))
    return root
