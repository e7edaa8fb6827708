"""``rtreid adapt``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtreid_ros.cli import configured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtreid_ros.reid.adaptation.config import AdaptationConfig
    from rtreid_ros.reid.checkpoint import Checkpoint

EXAMPLES = """\
CONFIG is a YAML file, or the name of a built-in configuration; SECTION.KEY=VALUE goes before it.
--print-config shows all of it, and is itself such a file. Sections:

  model       pretrained=best.pt, of rtreid train-reid: what is adapted; or an ONNX file of rtreid
              export-reid, such as pretrained=osnet_x0_25_market1501.onnx, which is built in
  data        the target: pictures nobody has labelled. dataset=tracklets for a folder or .tar file of
              rtreid harvest, or several with commas between (root=out/monday,out/tuesday),
              dataset=unlabelled for any pictures, or a data set whose labels are not used
  source      labelled pictures to rehearse, so that they are not forgotten (optional)
  evaluation  labelled pictures that judge, for the report alone (optional). Who is judged must not be in
              data or source: that is checked, by identities and pixel by pixel
  clusters, sampler, augmentation, losses, optimizer, schedule, adaptation

Every round clusters the target by the averaged network and learns the clusters as if they were people. It
ends when clusters are stable or get worse. The folder of --output gets best.pt (the last network of good
clusters, told without labels), last.pt (to go on from), config.yaml, log.jsonl and report.html. Ctrl-C
finishes and saves the round; --resume FOLDER goes on. Needs the extra `train` (torch).

examples:
  rtreid adapt processor model.pretrained=osnet_x0_25_market1501.onnx data.dataset=tracklets \\
      data.root=out/harvest --output out/a
  rtreid adapt processor model.pretrained=best.pt data.root=market.tar data.split=cameras456 \\
      evaluation.dataset=market1501 evaluation.root=market.tar evaluation.split=cameras456 --output out/b
  rtreid adapt processor model.pretrained=best.pt source.dataset=folder source.root=people --print-config
  rtreid adapt --resume out/a
  rtreid export-reid out/a/best.pt --output people.onnx"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    configured.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Read the configuration, adapt, and say what came out."""
    configured.require_torch("adapting")
    from rtreid_ros.reid.adaptation.adapter import Adapter  # noqa: PLC0415
    from rtreid_ros.reid.adaptation.report import told  # noqa: PLC0415
    from rtreid_ros.reid.training.outputs import BEST  # noqa: PLC0415

    config, checkpoint = _read(arguments)
    if arguments.print_config:
        print(config.text(), end="")
        return 0
    folder = configured.folder_of(arguments)
    adapter = Adapter(config, folder, checkpoint, progress=not arguments.quiet)
    course = adapter.run()
    if not adapter.finished:
        raise KeyboardInterrupt
    if not arguments.quiet:
        for name, figures in (
            ("before", course.before),
            ("statistics", course.statistics),
            ("adapted", course.kept),
        ):
            shown: dict[str, Any] = {
                key: figures[key] for key in ("told_apart", "map", "rank1") if key in figures
            }
            if shown:
                print(f"{name:<10} {told(shown)}")
        print(f"after {course.rounds} rounds that of round {course.best_round} is kept: {folder / BEST}")
    return 0


def _read(arguments: argparse.Namespace) -> tuple[AdaptationConfig, Checkpoint | None]:
    """The configuration, and what to resume."""
    from rtreid_ros.reid.adaptation.config import KIND, read_adaptation  # noqa: PLC0415
    from rtreid_ros.reid.checkpoint import load_checkpoint  # noqa: PLC0415

    def read(source: str | Path | dict[str, Any], words: Sequence[str]) -> AdaptationConfig:
        return read_adaptation(source, words, begun=isinstance(source, dict))  # a checkpoint says it all

    return configured.read(arguments, load_checkpoint, read, KIND)
