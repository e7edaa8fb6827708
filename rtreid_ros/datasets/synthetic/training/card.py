"""Judge the two built-in models and write their card.

``python -m rtreid_ros.datasets.synthetic.training.card [--models DIRECTORY]``
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import rtreid_ros
from rtreid_ros.datasets.synthetic.training.judge import SCORE, judge_detector, judge_embedder
from rtreid_ros.errors import ConfigError
from rtreid_ros.reid.preprocessing import METADATA_KEY, Preprocessing
from rtreid_ros.reid.training.config import find_config, read_config
from rtreid_ros.runtime.model_card import describe_model, write_section

DETECTOR, EMBEDDER = "person_synthetic.onnx", "reid_synthetic.onnx"
CONFIG = "synthetic"
"""The built-in configuration that the embedder is trained by."""

_TEXT = """# Built-in models

Two small networks so that everything here runs offline. **They know only the synthetic street of
`rtreid_ros.datasets.synthetic`**: drawn people, drawn houses. On photographs they find little and
tell nobody apart; name real models there (the README says how).

| | `{detector}` | `{embedder}` |
| --- | --- | --- |
| task | person detection | appearance embedding for re-identification |
| input | {detector_input}, RGB / 255, letterboxed with grey 114 | {embedder_input}, {embedder_pixels} |
| output | {detector_output}: centre x, y, width, height in input pixels, score; before NMS (YOLOv8 layout) | {embedder_output}, rows of unit length |
| weights | {detector_weights:,}, FP32 | {embedder_weights:,}, FP32 |
| file | {detector_megabytes:.2f} MB, ONNX opset 17 | {embedder_megabytes:.2f} MB, ONNX opset 17 |
| SHA-256 | `{detector_digest}` | `{embedder_digest}` |

## Figures
Written by `python -m rtreid_ros.datasets.synthetic.training.card` with the renderer and the runtime
of this repository, on {scenes} scenes whose seeds training never used: other streets, other people.

Detector, detections from score {score:g} on, every 5th frame, alternating cameras, default crowd; a
match has IoU of at least 0.5 with the box of the whole body clipped to the image:

| figure | value |
| --- | --- |
{detector_figures}

Embedder, between the cameras (queries from one, gallery from the other: people are seen from the
other side), {identities} identities, {queries} queries, {gallery} gallery crops:

| figure | value |
| --- | --- |
{embedder_figures}

## How they were made
From random weights, on frames rendered by this repository alone: no photograph, no other weights.

```
{detector_recipe}
rtreid train-reid {config} --output FOLDER
rtreid export-reid FOLDER/best.pt --output {embedder}
```

These need the `train` extra. Seeds fix the data, the order and the first weights. One of the runs, the
detector's first stage, saw frames of an earlier version of the renderer (farther cameras): repeating its
commands gives a model of this kind, not these bytes. The embedder saw {trained} identities; its whole
configuration is in its metadata, key `recipe`.

Licence: MIT, as the rest of the repository.
"""  # noqa: E501 (table rows)

_NAMES = {
    "recall": "recall of people more than half visible",
    "precision": "precision",
    "mean_iou": "mean IoU of matches",
    "recall_under_60_px": "recall, under 60 pixels tall",
    "recall_over_100_px": "recall, over 100 pixels tall",
    "milliseconds": "processor milliseconds per 640x480 image, pre- and postprocessing included",
    "rank1": "Rank-1",
    "map": "mAP",
    "milliseconds_per_crop": "processor milliseconds per crop, in batches of 16",
}


def _detector_commands(recipe: str) -> str:
    """The commands of all stages."""
    lines = []
    for number, stage in enumerate(json.loads(recipe)):
        options = [f"--{key.replace('_', '-')} {value}" for key, value in stage.items()]
        folder = f"DIRECTORY{number + 1}" + (f" --start DIRECTORY{number}/weights.pt" if number else "")
        module = "rtreid_ros.datasets.synthetic.training.detector"
        lines.append(f"python -m {module} --output {folder} {' '.join(options)}")
    return "\n".join(lines)


def _check_recipe(recipe: str) -> None:
    """Refuse an embedder that the command on the card would not make."""
    if read_config(json.loads(recipe)) != read_config(find_config(CONFIG)):
        raise ConfigError(
            f"{EMBEDDER} was trained by another configuration than the built-in {CONFIG!r}; train it anew"
        )


def _pixels(text: str) -> str:
    """What the embedder does with pixels x."""
    known = Preprocessing.from_json(text)
    mean, std = (" ".join(f"{number:g}" for number in numbers) for numbers in (known.mean, known.std))
    return f"{known.color} / {known.scale:g}, mean {mean}, std {std}"


def _rows(figures: dict[str, float]) -> str:
    return "\n".join(f"| {_NAMES[name]} | {value} |" for name, value in figures.items() if name in _NAMES)


def write_card(models: Path, scenes: int) -> dict[str, float]:
    """Judge both models of a folder, write the card beside them and return all figures.

    Raises:
        ConfigError: the embedder was trained otherwise than the card would say.
    """
    detector, embedder = describe_model(models / DETECTOR), describe_model(models / EMBEDDER)
    _check_recipe(embedder.metadata["recipe"])
    found = judge_detector(models / DETECTOR, scenes)
    told = judge_embedder(models / EMBEDDER, scenes)
    text = _TEXT.format(
        detector=DETECTOR,
        embedder=EMBEDDER,
        config=CONFIG,
        **{f"detector_{name}": value for name, value in detector._asdict().items()},
        **{f"embedder_{name}": value for name, value in embedder._asdict().items()},
        embedder_pixels=_pixels(embedder.metadata[METADATA_KEY]),
        detector_recipe=_detector_commands(detector.metadata["recipe"]),
        scenes=scenes,
        score=SCORE,
        detector_figures=_rows(found),
        embedder_figures=_rows(told),
        identities=told["identities"],
        queries=told["queries"],
        gallery=told["gallery"],
        trained=embedder.metadata["classes"],
    )
    write_section(models, text)
    return {**found, **told}


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    models = Path(rtreid_ros.__file__ or ".").parent / "models"
    parser.add_argument("--models", type=Path, default=models, help="folder of the models and their card")
    parser.add_argument("--scenes", type=int, default=8, help="held-out scenes")
    chosen = parser.parse_args(arguments)
    figures = write_card(chosen.models, chosen.scenes)
    print("\n".join(f"{name:24} {value:g}" for name, value in figures.items()))  # noqa: T201


if __name__ == "__main__":
    main()
