"""What one sees of a training while it runs: a bar, a log, TensorBoard."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from rtreid_ros.errors import SinkError
from rtreid_ros.reid.checkpoint_file import whole_file
from rtreid_ros.reid.training.outputs import LOG
from rtreid_ros.reporting.training import RATIOS

GENERATED = ("kid", "fid", "variety", "group_accuracy")
"""Figures of generated pictures."""


class Progress:
    """Tells the user, and writes ``log.jsonl`` and TensorBoard events.

    Args:
        folder: of the training.
        epochs: of the whole training.
        images: that an epoch shows to the network.
        history: rows of the log of epochs done earlier.
        shown: whether to show a bar and say what happens.
        files: whether to write anything.
        tensorboard: whether to write events, where TensorBoard is installed.

    Raises:
        SinkError: the folder cannot be written.
    """

    def __init__(
        self,
        folder: Path,
        epochs: int,
        images: int,
        *,
        history: list[dict[str, Any]],
        shown: bool = True,
        files: bool = True,
        tensorboard: bool = True,
    ) -> None:
        self._epochs, self._log, self._shown = epochs, folder / LOG, shown
        self._rows, self._files = [dict(row) for row in history], files
        done = len(history)
        if files:
            self._write_log()
        self._writer = self._events(folder, done) if files and tensorboard else None
        self._last: dict[str, float] = {}
        self._bar = tqdm(
            total=epochs * images, initial=done * images, unit="img", unit_scale=True, smoothing=0.05,
            dynamic_ncols=True, disable=not shown, file=sys.stderr,
        )  # fmt: skip

    def _events(self, folder: Path, done: int) -> Any:
        try:
            from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415
        except ImportError:
            self.say("TensorBoard is not installed, no events are written (pip install 'rtreid_ros[train]')")
            return None
        try:
            return SummaryWriter(str(folder / "tensorboard"), purge_step=done + 1 if done else None)
        except OSError as error:
            raise SinkError(f"cannot write {folder / 'tensorboard'}: {error}") from None

    def _write_log(self) -> None:
        """All rows anew: what a full disk has refused comes with the next."""
        with whole_file(self._log) as file:
            file.write("".join(json.dumps(row) + "\n" for row in self._rows).encode("utf-8"))

    def say(self, text: str) -> None:
        """A line above the bar."""
        if self._shown:
            tqdm.write(text, file=sys.stderr)

    def step(self, epoch: int, images: int, parts: Mapping[str, float] | None = None) -> None:
        """Some steps are done.

        Args:
            epoch: which, from 1.
            images: shown since the last call.
            parts: means of the losses so far in this epoch, by name.
        """
        if parts is not None:
            self._bar.set_description(f"epoch {epoch}/{self._epochs}", refresh=False)
            known = {**parts, **{name: self._last[name] for name in ("mAP",) if name in self._last}}
            self._bar.set_postfix({name: f"{value:.4g}" for name, value in known.items()}, refresh=False)
        self._bar.update(images)

    def epoch(self, row: Mapping[str, Any]) -> None:
        """An epoch is over: `row` goes to the log and to TensorBoard, and is said where it has figures."""
        self._rows.append(dict(row))
        if self._files:
            try:
                self._write_log()
            except SinkError as error:
                self.say(f"warning: {error}; training goes on, and it is tried again")
        number = row["epoch"]
        if "map" in row:
            self._last["mAP"] = 100 * row["map"]
            figures = ", ".join(
                f"{title} {100 * row[name]:.2f}" for name, title in RATIOS.items() if name in row
            )
            self.say(
                f"epoch {number}/{self._epochs}: loss {row['loss']:.4f}, {figures}, "
                f"{row['images_per_second']:.0f} images/s"
            )
        if self._writer is not None:
            with self._refused_events():
                for name, value in flat(row).items():
                    self._writer.add_scalar(name, value, number)

    def close(self) -> None:
        """Take the bar away and finish the events."""
        self._bar.close()
        if self._writer is not None:
            with self._refused_events():
                self._writer.close()

    @contextmanager
    def _refused_events(self) -> Iterator[None]:
        """In it, events are written; once that fails, which a thread of theirs notices, no more come."""
        try:
            yield
        except OSError as error:
            self._writer = None
            self.say(
                f"warning: TensorBoard events cannot be written ({error}); training goes on without them"
            )


def flat(row: Mapping[str, Any]) -> dict[str, float]:
    """A row of the log with TensorBoard's names."""
    parts = {f"loss/{name}": value for name, value in row["losses"].items()}
    figures = {f"validation/{name}": row[name] for name in (*RATIOS, *GENERATED) if name in row}
    rest = {name: row[name] for name in ("lr", "images_per_second")}
    total = {"loss/total": row["loss"]} if "loss" in row else {}
    return {**total, **parts, **figures, **rest}
