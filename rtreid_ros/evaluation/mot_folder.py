"""Where things lie in MOTChallenge folders."""

from __future__ import annotations

import configparser
from dataclasses import dataclass
from pathlib import Path

from rtreid_ros.errors import SourceError
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
    """One sequence to judge; `length` is None where no seqinfo.ini says it."""

    name: str
    results: Path
    truth: Path
    length: int | None


def find_jobs(results: Path, truth: Path, only: tuple[str, ...] = ()) -> list[Job]:
    """Which result file belongs to which ground truth.

    `truth` is a ground-truth file, a sequence folder, or a folder of sequence folders; `results` a
    file or an output folder of ``rtreid track``, or, for many sequences, a folder that holds for
    each ``NAME.txt``, ``NAME/tracks.txt``, ``NAME/NAME.txt`` or ``NAME/test.txt``.

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
    sequences = {path.name: path for path in sorted(truth.iterdir()) if path.is_dir() and _truth_file(path)}
    if not sequences:
        looked = " or ".join(f"{truth}/NAME/{name}" for name in _TRUTH_FILES)
        raise SourceError(
            f"{truth}: no ground truth; looked for {' or '.join(_TRUTH_FILES)} there and {looked}"
        )
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
    return [_one_of_many(results, sequences[name], name) for name in only or sequences]


def _truth_file(folder: Path) -> Path | None:
    return next((folder / name for name in _TRUTH_FILES if (folder / name).is_file()), None)


def _length(folder: Path) -> int | None:
    return read_seqinfo(folder).length if (folder / "seqinfo.ini").is_file() else None


def _single(results: Path, truth: Path) -> Job:
    folder, file = truth, truth
    if truth.is_dir():
        file = _truth_file(truth) or truth
    else:
        folder = truth.parent.parent if truth.parent.name == "gt" else truth.parent
    name = folder.resolve().name
    if results.is_dir():
        candidates = ["tracks.txt", *(pattern.format(name=name) for pattern in _RESULT_PATTERNS)]
        found = next((results / item for item in candidates if (results / item).is_file()), None)
        if found is None:
            raise SourceError(f"{results}: no results; looked for {', '.join(candidates)}")
        results = found
    return Job(name, results, file, _length(folder))


def _one_of_many(results: Path, folder: Path, name: str) -> Job:
    candidates = [pattern.format(name=name) for pattern in _RESULT_PATTERNS]
    found = next((results / item for item in candidates if (results / item).is_file()), None)
    if found is None:
        raise SourceError(f"{results}: no results for {name}; looked for {', '.join(candidates)}")
    return Job(name, found, _truth_file(folder) or folder, _length(folder))
