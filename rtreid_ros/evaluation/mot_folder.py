"""Where things lie in MOTChallenge folders, and which results belong to which ground truth."""

from __future__ import annotations

import configparser
from dataclasses import dataclass
from pathlib import Path

from rtreid_ros.errors import SourceError
from rtreid_ros.evaluation import kitti_folder
from rtreid_ros.evaluation.kitti_text import looks_like_kitti
from rtreid_ros.registry import suggest

_RESULT_PATTERNS = ("{name}.txt", "{name}/tracks.txt", "{name}/{name}.txt", "{name}/test.txt")
_TRUTH_FILES = ("gt/gt.txt", "gt.txt")


@dataclass(frozen=True, slots=True)
class SequenceInfo:
    """The ``[Sequence]`` section of seqinfo.ini; sizes in pixels, rate in frames per second."""

    name: str
    frame_rate: float
    length: int
    width: int
    height: int
    image_folder: str
    image_suffix: str


def read_seqinfo(folder: Path) -> SequenceInfo:
    """What ``seqinfo.ini`` says.

    Raises:
        SourceError: missing, malformed, or without a needed entry.
    """
    path = folder / "seqinfo.ini"
    parser = configparser.ConfigParser()
    try:
        with path.open(encoding="utf-8") as stream:
            parser.read_file(stream)
        section = parser["Sequence"]
        info = SequenceInfo(
            name=section.get("name", folder.resolve().name),
            frame_rate=section.getfloat("frameRate", 0.0),
            length=section.getint("seqLength", 0),
            width=section.getint("imWidth", 0),
            height=section.getint("imHeight", 0),
            image_folder=section.get("imDir", "img1"),
            image_suffix=section.get("imExt", ".jpg"),
        )
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file; a MOTChallenge sequence has one") from None
    except KeyError:
        raise SourceError(f"{path}: no [Sequence] section") from None
    except (OSError, ValueError, configparser.Error) as error:
        raise SourceError(f"{path}: {error}") from None
    if not info.frame_rate > 0 or info.length <= 0:
        raise SourceError(
            f"{path}: frameRate and seqLength must be positive, got {info.frame_rate:g} and {info.length}"
        )
    return info


@dataclass(frozen=True, slots=True)
class Job:
    """One sequence to judge; `length` is None where nothing states it, `kitti` the format of `truth`."""

    name: str
    results: Path
    truth: Path
    length: int | None
    kitti: bool = False


def find_jobs(results: Path, truth: Path, only: tuple[str, ...] = ()) -> list[Job]:
    """Which result file belongs to which ground truth.

    `truth` is a ground-truth file, a sequence folder, or a folder of sequence folders; `results` a
    file or an output folder of ``rtreid track``, or, for many sequences, a folder that holds for
    each ``NAME.txt``, ``NAME/tracks.txt``, ``NAME/NAME.txt`` or ``NAME/test.txt``. A folder of KITTI
    tracking is one that holds ``label_02/``.

    Args:
        results: see above.
        truth: see above.
        only: names of the sequences wanted; empty = all with ground truth.

    Raises:
        SourceError: something is missing; the message says what was looked for.
    """
    for path in (results, truth):
        if not path.exists():
            raise SourceError(f"{path}: no such file or folder")
    if truth.is_file() or _truth_file(truth) is not None:
        return [_single(results, truth)]
    if kitti_folder.is_kitti(truth):
        sequences = {name: (path, True) for name, path in kitti_folder.label_files(truth).items()}
    else:
        folders = [path for path in sorted(truth.iterdir()) if path.is_dir()]
        sequences = {path.name: (file, False) for path in folders if (file := _truth_file(path))}
    if not sequences:
        below = [f"NAME/{name}" for name in _TRUTH_FILES]
        looked = " or ".join([*_TRUTH_FILES, *below, "label_02/NAME.txt"])
        raise SourceError(f"{truth}: no ground truth; looked for {looked} there")
    for name in only:
        if name not in sequences:
            known = list(sequences)
            raise SourceError(
                f"{truth}: no sequence {name!r}{suggest(name, known)}; there are {', '.join(known)}"
            )
    if not results.is_dir():
        raise SourceError(
            f"{truth} holds several sequences, so the results must be a folder; {results} is a file"
        )
    wanted = list(only or sequences)
    if kitti_folder.is_kitti(truth):
        lengths: dict[str, int | None] = {**kitti_folder.lengths(truth, wanted)}
    else:
        lengths = {name: _length(truth / name) for name in wanted}
    return [
        Job(name, _result_file(results, name), sequences[name][0], lengths[name], sequences[name][1])
        for name in wanted
    ]


def _truth_file(folder: Path) -> Path | None:
    return next((folder / name for name in _TRUTH_FILES if (folder / name).is_file()), None)


def _length(folder: Path) -> int | None:
    return read_seqinfo(folder).length if (folder / "seqinfo.ini").is_file() else None


def _single(results: Path, truth: Path) -> Job:
    file = truth if truth.is_file() else _truth_file(truth) or truth
    kitti = truth.is_file() and looks_like_kitti(truth)
    if kitti:
        name = truth.stem
        length: int | None = kitti_folder.lengths(truth.parent.parent, [name])[name] or None
    else:
        folder = truth
        if truth.is_file():
            folder = truth.parent.parent if truth.parent.name == "gt" else truth.parent
        name, length = folder.resolve().name, _length(folder)
    if results.is_dir():
        results = _result_file(results, name, "tracks.txt")
    return Job(name, results, file, length, kitti)


def _result_file(results: Path, name: str, *also: str) -> Path:
    candidates = [*also, *(pattern.format(name=name) for pattern in _RESULT_PATTERNS)]
    found = next((results / item for item in candidates if (results / item).is_file()), None)
    if found is None:
        raise SourceError(f"{results}: no results for {name}; looked for {', '.join(candidates)}")
    return found
