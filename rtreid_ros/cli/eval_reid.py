"""``rtreid eval-reid``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtreid_ros.datasets.identities import IdentityDataset
    from rtreid_ros.evaluation.retrieval import ClipEmbedder, Search, SearchPlan
    from rtreid_ros.reid import Embedder, EmbedderOptions

EXAMPLES = """\
MODEL is what `rtreid track --embedder` takes (.onnx, .xml, ...), or a checkpoint of `rtreid train-reid`
(.pt; needs the extra `train`). All are judged by the single-query protocol: pictures of the query's
identity from its own camera do not count, nor does junk; queries with no right match are skipped and
counted. What --side, --flip, --camera-bias and --rerank add is shown in lines of their own, each on top of
the one above; the last two use the other pictures of the test set, which a robot does not have.

--side tells a checkpoint that was trained with data.side=camera or view which one each picture is of;
pictures of cameras that its training has not seen stay unknown, and are counted. A robot knows that only
where its camera is one of these: see `rtreid export-reid --camera`.

With --tracklets, whole tracklets are searched for and found: what a camera, in one of its sequences, has
seen of somebody. Each has one vector, the mean of those of its pictures. Networks that take clips are
judged so alone. With --split mod5_tracklets, whole tracklets of identities divisible by 5 are query and
gallery.

--set GROUP.OPTION=VALUE changes options: of embedder (preprocessing, providers, batch_size, threads),
dataset (see the data set), judging (protocol, precision, ranks, best), camera_bias (ridge, fewest),
rerank (k1, k2, share, weighting) and tracklets (vector, frames).

examples:
  rtreid eval-reid osnet.onnx --dataset market1501 --root Market-1501
  rtreid eval-reid out/osnet/best.pt osnet.onnx --root market.tar --split mod5 --output out/judged
  rtreid eval-reid osnet.onnx --root Market-1501 --flip --camera-bias --rerank --json
  rtreid eval-reid out/vit/best.pt --root market.tar --split mod5 --side
  rtreid eval-reid cars.onnx --dataset veri776 --root VeRi --set judging.protocol=image-to-track
  rtreid eval-reid clips.pt osnet.pt --dataset synthetic --tracklets --set tracklets.vector=spaced
  rtreid eval-reid osnet.onnx --root Market-1501 --set embedder.preprocessing=imagenet"""

CHECKPOINTS = (".pt", ".pth")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("models", nargs="+", metavar="MODEL", help="one, or several to compare")
    parser.add_argument("--dataset", default="market1501", metavar="NAME", help="default: market1501")
    parser.add_argument("--root", default="", metavar="PATH", help="folder or .tar file of the data set")
    parser.add_argument(
        "--split",
        default="official",
        metavar="NAME",
        help="official query and gallery (default), or mod5: identities divisible by 5 of the training part; "
        "mod5_tracklets: whole tracklets of these",
    )
    parser.add_argument("--tracklets", action="store_true", help="search tracklets instead of pictures")
    parser.add_argument("--side", action="store_true", help="tell checkpoints the camera or view they know")
    parser.add_argument("--flip", action="store_true", help="add the vector of the mirrored picture")
    parser.add_argument("--camera-bias", action="store_true", help="centre and whiten the vectors per camera")
    parser.add_argument("--rerank", action="store_true", help="re-rank by k-reciprocal neighbours")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="GROUP.OPTION=VALUE",
        dest="assignments",
        help="repeatable; see below",
    )
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="write figures.json, and report.html with pictures"
    )
    parser.add_argument("--features", action="store_true", help="write the vectors to --output too, as .npz")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def run(arguments: argparse.Namespace) -> int:
    """Embed, judge, print, write."""
    from rtreid_ros.cli.eval import write_text  # noqa: PLC0415
    from rtreid_ros.cli.report import names_of  # noqa: PLC0415
    from rtreid_ros.errors import ConfigError  # noqa: PLC0415
    from rtreid_ros.evaluation.retrieval import check_side, search  # noqa: PLC0415
    from rtreid_ros.evaluation.retrieval.report import table, write_features  # noqa: PLC0415

    if arguments.features and arguments.output is None:
        raise ConfigError("--features needs --output, where they go")
    plan, embedding, of_dataset = _options(arguments)
    data = _open_data(arguments, of_dataset)
    paths = [Path(model) for model in arguments.models]
    names = names_of(paths)
    if len(set(names)) < len(names):
        raise ConfigError(f"a model is named twice: {', '.join(map(str, paths))}")
    embedders = [_open_model(path, embedding) for path in paths]  # complain before judging
    for embedder in embedders if plan.side else ():
        check_side(embedder, data.name)
    searches, sizes = [], [_megabytes(path) for path in paths]
    for name, embedder in zip(names, embedders, strict=True):
        searches.append(search(name, embedder, data.query, data.gallery, plan, progress=not arguments.quiet))
    content = {
        "dataset": data.name,
        "split": arguments.split,
        "models": [
            {**item.as_dict(), "megabytes": size, "runs_on": embedder.info.provider}
            for item, size, embedder in zip(searches, sizes, embedders, strict=True)
        ],
    }
    text = json.dumps(content, indent=2) + "\n"
    if arguments.json:
        print(text, end="")
    else:
        print(f"{data.name}, split {arguments.split}; single-query protocol; ratios in percent")
        print(table(searches, sizes), end="")
    if arguments.output is not None:
        write_text(arguments.output / "figures.json", text)
        write_text(arguments.output / "report.html", _report(searches, data, content))
        for item in searches if arguments.features else ():
            write_features(item, arguments.output)
        print(f"written: {arguments.output / 'report.html'}", file=sys.stderr)
    return 0


def _options(arguments: argparse.Namespace) -> tuple[SearchPlan, EmbedderOptions, dict[str, Any]]:
    """What the flags and assignments say; of the data set the given options alone.

    Raises:
        ConfigError: an unknown group or option, a value out of range, or an option of a trick that is off.
    """
    from rtreid_ros.datasets.identities import DATASETS  # noqa: PLC0415
    from rtreid_ros.errors import ConfigError  # noqa: PLC0415
    from rtreid_ros.evaluation.retrieval import (  # noqa: PLC0415
        CameraBiasOptions,
        RerankOptions,
        RetrievalOptions,
        SearchPlan,
        TrackletOptions,
    )
    from rtreid_ros.options import build_from_text  # noqa: PLC0415
    from rtreid_ros.registry import suggest  # noqa: PLC0415
    from rtreid_ros.reid import EmbedderOptions  # noqa: PLC0415

    groups: dict[str, Any] = {
        "embedder": EmbedderOptions,
        "dataset": DATASETS[arguments.dataset].Options,
        "judging": RetrievalOptions,
        "camera_bias": CameraBiasOptions,
        "rerank": RerankOptions,
        "tracklets": TrackletOptions,
    }
    given: dict[str, dict[str, str]] = {group: {} for group in groups}
    for text in arguments.assignments:
        key, equals, value = text.partition("=")
        group, dot, name = key.partition(".")
        if not equals or not dot:
            raise ConfigError(f"--set takes GROUP.OPTION=VALUE, got {text!r}")
        if group not in groups:
            known = list(groups)
            raise ConfigError(f"no group {group!r}{suggest(group, known)}; there are {', '.join(known)}")
        given[group][name] = value
    for group in ("camera_bias", "rerank", "tracklets"):
        if given[group] and not getattr(arguments, group):
            raise ConfigError(f"--set {group}.{next(iter(given[group]))} is for --{group.replace('_', '-')}")
    made = {group: build_from_text(cls, given[group]) for group, cls in groups.items()}
    plan = SearchPlan(
        made["judging"],
        arguments.flip,
        made["camera_bias"] if arguments.camera_bias else None,
        made["rerank"] if arguments.rerank else None,
        made["tracklets"] if arguments.tracklets else None,
        arguments.side,
    )
    return plan, made["embedder"], {name: getattr(made["dataset"], name) for name in given["dataset"]}


def _open_data(arguments: argparse.Namespace, options: dict[str, Any]) -> IdentityDataset:
    """Query and gallery.

    Raises:
        ConfigError: an unknown data set or split, or one of them is empty.
        SourceError: the root holds no such data set.
    """
    from rtreid_ros.datasets.identities import open_identities  # noqa: PLC0415
    from rtreid_ros.errors import ConfigError  # noqa: PLC0415

    data = open_identities(
        arguments.dataset, arguments.root, arguments.split, ("query", "gallery"), **options
    )
    if not len(data.query) or not len(data.gallery):
        raise ConfigError(
            f"{arguments.dataset} has nothing to judge on by the split {arguments.split!r}: "
            f"{len(data.query)} queries, {len(data.gallery)} pictures in the gallery; try --split mod5"
        )
    return data


def _open_model(path: Path, options: EmbedderOptions) -> Embedder | ClipEmbedder:
    """An embedder of a deployed file or of a checkpoint.

    Raises:
        MissingDependencyError: a checkpoint, and torch is not installed.
        RtreidError: the file cannot be used.
    """
    from dataclasses import replace  # noqa: PLC0415

    from rtreid_ros.errors import MissingDependencyError  # noqa: PLC0415
    from rtreid_ros.reid import create_embedder  # noqa: PLC0415

    if path.suffix.lower() not in CHECKPOINTS or options.backend != "auto":
        return create_embedder(replace(options, model=str(path)))
    try:
        from rtreid_ros.reid.models.session import open_judged  # noqa: PLC0415
    except ImportError as error:
        raise MissingDependencyError(
            f"{path.name} is a checkpoint, which needs torch ({error}); install it with: "
            "pip install 'rtreid_ros[train]', or give a file that `rtreid export-reid` made"
        ) from None
    return open_judged(path, options)


def _megabytes(path: Path) -> float:
    """Size of a model on disk, an OpenVINO model's weights included."""
    beside = path.with_suffix(".bin") if path.suffix.lower() == ".xml" else None
    size = path.stat().st_size + (beside.stat().st_size if beside is not None and beside.is_file() else 0)
    return round(size / 1e6, 2)


def _report(searches: Sequence[Search], data: IdentityDataset, content: dict[str, Any]) -> str:
    from rtreid_ros.reporting.retrieval import retrieval_page  # noqa: PLC0415

    remark = f"{content['dataset']}, split {content['split']}; single-query protocol."
    return retrieval_page(searches, data.query, data.gallery, remark)
