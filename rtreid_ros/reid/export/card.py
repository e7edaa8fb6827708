"""Write the section about the built-in embedder of real people into the models' card.

``python -m rtreid_ros.reid.export.card --twin best.pt --root market1501.tar``

The embedder learnt from every identity there is to judge it on. So its twin, trained by the same recipe
without those of the split ``mod5``, is what the figures are of.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import rtreid_ros
from rtreid_ros.datasets.identities import open_identities
from rtreid_ros.errors import ConfigError
from rtreid_ros.evaluation.retrieval import SearchPlan, search
from rtreid_ros.reid.backends import PEOPLE
from rtreid_ros.reid.base import EmbedderOptions
from rtreid_ros.reid.checkpoint import load_checkpoint
from rtreid_ros.reid.models.session import open_checkpoint
from rtreid_ros.reid.training.config import find_config, read_config
from rtreid_ros.runtime.model_card import describe_model, write_section

CONFIG = "osnet_x0_25"
"""The built-in configuration it is trained by."""

_FREE = {
    "data": ("root", "split"),
    "training": ("epochs", "threads", "device", "tensorboard", "validate_every"),
}
"""In what the twin's recipe may differ."""

_TEXT = """# Embedder of real people

`{name}` tells real people apart. `--embedder` and the parameter
`embedder.model` take it by this name; `rtreid track` and `rtreid demo` take it where a detector is named
and no embedder. It has learnt from one place and six cameras: weights trained on more people and places
are better elsewhere.

| | `{name}` |
| --- | --- |
| network | OSNet x0.25 (Zhou et al., ICCV 2019) |
| input | {input}, RGB, (x / 255 - mean) / std of ImageNet |
| output | {output}, rows of unit length |
| weights | {weights:,}, stored in FP16, computed in FP32 |
| file | {megabytes:.2f} MB, ONNX opset 17 |
| SHA-256 | `{digest}` |

## Terms
The weights were learnt from the training part of Market-1501 (Zheng et al., ICCV 2015; {classes} identities),
whose authors give it out for research only. The file holds none of its pictures. Whether weights learnt from
such data may be used for anything else is for you to find out; for a product, train on data of your own: the
command below takes any folder of identities.

## Figures
Of a twin that learnt by the same recipe ({twin_epochs} epochs) without every fifth identity, searching among
those: split `mod5`, {queries} queries, {gallery} pictures in the gallery, single-query protocol.

| figure | value |
| --- | --- |
| Rank-1 | {rank1:.1f} % |
| Rank-5 | {rank5:.1f} % |
| mAP | {map:.1f} % |
| mINP | {minp:.1f} % |

## How it was made
From random weights; {epochs} epochs, seed {seed}:

```
rtreid train-reid {config}{overrides} --output FOLDER
rtreid export-reid FOLDER/best.pt --precision {precision} --output {name}
```
"""


def same_recipe(first: dict[str, Any], second: dict[str, Any]) -> bool:
    """Whether two configurations differ only in what a twin's may."""

    def core(values: dict[str, Any]) -> dict[str, Any]:
        filled = read_config(values).values()  # what is left out has its default
        return {
            section: {key: value for key, value in options.items() if key not in _FREE.get(section, ())}
            for section, options in filled.items()
        }

    return core(first) == core(second)


def overrides(recipe: dict[str, Any]) -> str:
    """What `recipe` has other than the built-in configuration, as typed; folders and machine left out."""
    built_in = read_config(find_config(CONFIG)).values()
    skipped = {"data": ("root",), "training": ("threads", "device", "tensorboard", "validate_every")}
    return "".join(
        f" {section}.{key}={value}"
        for section, options in read_config(recipe).values().items()
        for key, value in options.items()
        if key not in skipped.get(section, ()) and built_in[section][key] != value
    )


def section(model: Path, twin: Path, root: str, *, progress: bool = True) -> str:
    """The text.

    Args:
        model: the exported embedder.
        twin: the checkpoint whose figures stand for it.
        root: Market-1501, folder or .tar file.
        progress: whether to show bars.

    Raises:
        ConfigError: the twin was trained by another recipe, or saw the identities it is judged on.
        SourceError: no such data set.
    """
    facts = describe_model(model)
    told = facts.metadata
    recipe = json.loads(told["recipe"])
    checkpoint = load_checkpoint(twin)
    if not same_recipe(json.loads(json.dumps(checkpoint.config)), recipe):
        raise ConfigError(f"{twin} was trained by another recipe than {model.name}")
    if checkpoint.config["data"]["split"] != "mod5":
        raise ConfigError(f"{twin} must have been trained with data.split=mod5, to be judged by it")
    data = open_identities("market1501", root, "mod5", ("query", "gallery"))
    embedder = open_checkpoint(twin, EmbedderOptions())
    found = search("twin", embedder, data.query, data.gallery, SearchPlan(), progress=progress).steps[0]
    return _TEXT.format(
        name=model.name,
        **{name: getattr(facts, name) for name in ("input", "output", "weights", "megabytes", "digest")},
        classes=told["classes"],
        twin_epochs=checkpoint.epoch,
        queries=found.queries,
        gallery=len(data.gallery),
        **{name: 100 * value for name, value in (("map", found.map), ("minp", found.minp))},
        **{f"rank{k}": 100 * found.rank(k) for k in (1, 5)},
        epochs=told["epoch"],
        seed=recipe["training"]["seed"],
        config=CONFIG,
        overrides=f" data.root=market1501.tar{overrides(recipe)}",
        precision=told["precision"],
    )


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    models = Path(rtreid_ros.__file__ or ".").parent / "models"
    parser.add_argument("--models", type=Path, default=models, help="folder of the model and the card")
    parser.add_argument("--twin", type=Path, required=True, help="checkpoint trained with data.split=mod5")
    parser.add_argument("--root", required=True, help="Market-1501: its folder, or a .tar file")
    chosen = parser.parse_args(arguments)
    text = section(chosen.models / PEOPLE, chosen.twin, chosen.root)
    write_section(chosen.models, text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
