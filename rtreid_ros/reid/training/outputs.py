"""Checkpoints on a disk that may be full."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rtreid_ros.errors import SinkError
from rtreid_ros.reid.checkpoint import save_checkpoint
from rtreid_ros.reid.checkpoint_file import whole_file

BEST, LAST, CONFIG, LOG, REPORT = "best.pt", "last.pt", "config.yaml", "log.jsonl", "report.html"


class Outputs:
    """The folder of a training.

    What cannot be written is kept and tried again: a disk that is full for a while ends no training, and
    the files that were there before stay as they are.

    Args:
        folder: made if there is none.
        say: told of what cannot be written.
        write: writes a checkpoint in one piece.

    Raises:
        SinkError: the folder cannot be made.
    """

    def __init__(
        self,
        folder: Path,
        say: Callable[[str], None],
        write: Callable[[Any, Path], None] = save_checkpoint,
    ) -> None:
        self.folder, self._say, self._write_checkpoint = folder, say, write
        self._pending: dict[str, Any] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SinkError(f"cannot make {folder}: {error}") from None

    def text(self, name: str, content: str) -> None:
        """Write a text file, in one piece.

        Raises:
            SinkError: it cannot be written.
        """
        with whole_file(self.folder / name) as file:
            file.write(content.encode("utf-8"))

    def try_to(self, write: Callable[[], None]) -> None:
        """Write something that training can do without: it is said if that fails, and that is all."""
        try:
            write()
        except SinkError as error:
            self._say(f"warning: {error}; training goes on without it")

    def save(self, name: str, checkpoint: Any) -> None:
        """Write a checkpoint now, or after a later epoch."""
        self._pending[name] = checkpoint
        self.flush()

    def flush(self) -> None:
        """Try again to write what could not be written."""
        self._pending = {name: item for name, item in self._pending.items() if not self._write(name, item)}

    def _write(self, name: str, checkpoint: Any) -> bool:
        try:
            self._write_checkpoint(checkpoint, self.folder / name)
        except SinkError as error:
            self._say(f"warning: {error}; training goes on, and it is tried again")
            return False
        return True

    def close(self) -> None:
        """Nothing more comes.

        Raises:
            SinkError: something could not be written.
        """
        self.flush()
        if self._pending:
            raise SinkError(
                f"{' and '.join(sorted(self._pending))} could not be written to {self.folder}; "
                "older files there are as they were. Make room, then go on with --resume"
            )
