"""Which result files are processed, and where what comes of them goes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rtreid_ros.errors import ConfigError, SourceError
from rtreid_ros.evaluation.mot_folder import SequenceInfo, read_seqinfo

_IN_FOLDERS = ("tracks.txt", "{name}.txt", "test.txt")
_NO_RESULTS = ("gt.txt", "seqmap.txt")


@dataclass(frozen=True, slots=True)
class ResultFile:
    """One file to process; `info` where a sequence of its name was found."""

    name: str
    source: Path
    target: Path
    info: SequenceInfo | None


def find_results(results: Path, output: Path, sequences: Path | None = None) -> list[ResultFile]:
    """Result files as ``rtreid eval`` finds them, each with a target that it would find again.

    A file goes to `output` itself. Of a folder, ``tracks.txt`` if there is one, else every
    ``NAME.txt``, ``NAME/tracks.txt``, ``NAME/NAME.txt`` and ``NAME/test.txt``, goes to the same
    place below `output`.

    Args:
        results: file or folder.
        output: file or folder to write.
        sequences: a sequence folder (seqinfo.ini), or a folder of such.

    Raises:
        SourceError: nothing there, or a result's sequence is missing from `sequences`.
        ConfigError: the output would overwrite the input.
    """
    if not results.exists():
        raise SourceError(f"{results}: no such file or folder")
    found = [results] if results.is_file() else _of_folder(results)
    jobs = []
    for path in found:
        inside = results.is_dir()
        target = output / path.relative_to(results) if inside else output
        if target.exists() and target.resolve() == path.resolve():
            raise ConfigError(f"{output}: would overwrite {path}; name another place to write to")
        if not inside and target.is_dir():
            raise ConfigError(f"{output} is a folder; {results} is a file, so name a file to write")
        name = _name(path)
        jobs.append(ResultFile(name, path, target, _info(sequences, name, alone=len(found) == 1)))
    return jobs


def _of_folder(folder: Path) -> list[Path]:
    if (folder / "tracks.txt").is_file():
        return [folder / "tracks.txt"]
    found = {
        path.stem: path
        for path in sorted(folder.glob("*.txt"))
        if path.name not in _NO_RESULTS and not path.stem.endswith(".partial")
    }
    for inner in sorted(path for path in folder.iterdir() if path.is_dir()):
        candidates = (inner / pattern.format(name=inner.name) for pattern in _IN_FOLDERS)
        path = next(filter(Path.is_file, candidates), None)
        if path is not None:
            found.setdefault(inner.name, path)
    if not found:
        raise SourceError(
            f"{folder}: no results; looked for tracks.txt, NAME.txt, NAME/tracks.txt, NAME/NAME.txt and "
            "NAME/test.txt"
        )
    return list(found.values())


def _name(path: Path) -> str:
    """The sequence of a result file."""
    return path.resolve().parent.name if path.name in ("tracks.txt", "test.txt") else path.stem


def _info(sequences: Path | None, name: str, *, alone: bool) -> SequenceInfo | None:
    if sequences is None:
        return None
    if (sequences / name / "seqinfo.ini").is_file():
        return read_seqinfo(sequences / name)
    if alone and (sequences / "seqinfo.ini").is_file():
        return read_seqinfo(sequences)
    raise SourceError(f"{sequences}: no {name}/seqinfo.ini there, which would say rate and size of {name}")
