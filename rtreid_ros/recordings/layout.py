"""Which sequences a folder holds, and where their files lie.

MOTChallenge and DanceTrack: a folder per sequence with ``seqinfo.ini``, ``gt/gt.txt``, ``det/`` and
perhaps ``gmc.txt``. KITTI tracking: see `kitti_folder`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rtreid_ros.errors import ConfigError, SourceError
from rtreid_ros.evaluation import kitti_folder
from rtreid_ros.evaluation.mot_folder import read_seqinfo
from rtreid_ros.registry import suggest

_SUFFIXES = (".txt", ".npz")
AUTO = "auto"


@dataclass(frozen=True, slots=True)
class SequenceFiles:
    """A sequence on disk. `folder` is its own (MOTChallenge) or that of all of them (KITTI).

    `title` is what it calls itself, which may differ: MOT17-02-FRCNN in a folder MOT17-02.
    """

    name: str
    title: str
    folder: Path
    kitti: bool
    frame_rate: float
    length: int
    width: int
    height: int
    truth: Path | None
    camera_motion: Path | None


def find_sequences(folder: str | Path, only: tuple[str, ...] = ()) -> list[SequenceFiles]:
    """The sequences of `folder`, which is one itself or holds them, ordered by name.

    Args:
        folder: see the module.
        only: names of those wanted, in this order; empty = all.

    Raises:
        SourceError: there are none, or not one that is wanted.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise SourceError(f"{folder}: no such folder")
    if (folder / "seqinfo.ini").is_file():
        found = [_mot(folder, folder.resolve().name)]
    elif kitti_folder.is_kitti(folder):
        found = _kitti(folder)
    else:
        paths = [path for path in sorted(folder.iterdir()) if (path / "seqinfo.ini").is_file()]
        found = [_mot(path, path.name) for path in paths]
    if not found:
        raise SourceError(
            f"{folder}: no sequences; looked for seqinfo.ini there and one folder below (MOTChallenge, "
            f"DanceTrack) and for {kitti_folder.LABELS}/ or {kitti_folder.DETECTIONS}/ (KITTI)"
        )
    known = {item.name: item for item in found}
    for name in only:
        if name not in known:
            raise SourceError(
                f"{folder}: no sequence {name!r}{suggest(name, list(known))}; there are {', '.join(known)}"
            )
    return [known[name] for name in only] if only else found


def _mot(folder: Path, name: str) -> SequenceFiles:
    info = read_seqinfo(folder)
    truth = next((folder / name for name in ("gt/gt.txt", "gt.txt") if (folder / name).is_file()), None)
    motion = folder / "gmc.txt"
    return SequenceFiles(
        name,
        info.name,
        folder,
        False,
        info.frame_rate,
        info.length,
        info.width,
        info.height,
        truth,
        motion if motion.is_file() else None,
    )


def _kitti(folder: Path) -> list[SequenceFiles]:
    labels = kitti_folder.label_files(folder)
    detected = {path.stem for path in _stored_in(folder / kitti_folder.DETECTIONS)}
    lengths = kitti_folder.lengths(folder, sorted(labels or detected))
    rate = kitti_folder.FRAME_RATE
    return [
        SequenceFiles(name, name, folder, True, rate, length, 0, 0, labels.get(name), None)
        for name, length in lengths.items()
    ]


def find_detections(files: SequenceFiles, detections: str | Path | None) -> Path:
    """The file of a sequence's detections.

    Args:
        files: the sequence.
        detections: file relative to the sequence, or a folder (relative to it or not) that holds
            ``NAME.txt`` or ``NAME.npz``, or any file; None or "auto": the only one there is.

    Raises:
        SourceError: it is not there, or several could be meant.
    """
    if detections is None or str(detections) == AUTO:
        return _only(files)
    wanted = Path(detections)
    for path in (files.folder / wanted, wanted):
        if path.is_dir():
            return in_folder(path, files, "detections")
        if path.is_file():
            return path
    candidates = _candidates(files)
    there = f"; there are {_names(files, candidates)}" if candidates else ""
    raise SourceError(f"{files.name}: no detections {str(wanted)!r} in {files.folder} or here{there}")


def in_folder(folder: Path, files: SequenceFiles, what: str) -> Path:
    """``NAME.txt`` or ``NAME.npz`` in `folder`.

    Raises:
        SourceError: none is there, or several.
    """
    names = [f"{name}{suffix}" for name in dict.fromkeys((files.name, files.title)) for suffix in _SUFFIXES]
    found = [name for name in names if (folder / name).is_file()]
    if len(found) > 1:
        raise SourceError(f"{folder}: both {found[0]} and {found[1]}; leave one of them")
    if not found:
        raise SourceError(f"{folder}: no {what} of {files.name}; looked for {', '.join(names)}")
    return folder / found[0]


def _candidates(files: SequenceFiles) -> list[Path]:
    if not files.kitti:
        return _stored_in(files.folder / "det")
    everyone = _stored_in(files.folder / kitti_folder.DETECTIONS)
    return [path for path in everyone if path.stem == files.name]


def _stored_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in _SUFFIXES)


def _only(files: SequenceFiles) -> Path:
    candidates = _candidates(files)
    if len(candidates) == 1:
        return candidates[0]
    where = files.folder / (kitti_folder.DETECTIONS if files.kitti else "det")
    if not candidates:
        raise SourceError(f"{files.name}: no detections in {where}; name a file or folder of them")
    raise ConfigError(f"{files.name}: several detection files, say which: {_names(files, candidates)}")


def _names(files: SequenceFiles, paths: list[Path]) -> str:
    if files.kitti:  # a file each for all sequences: the folder is what tells them apart
        return ", ".join(str(path.parent.relative_to(files.folder)) for path in paths)
    return ", ".join(str(path.relative_to(files.folder)) for path in paths)
