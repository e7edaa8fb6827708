"""Write the link model's section of the models' card, from what the model file says.

``python -m rtreid_ros.postprocess.aflink.card [--models DIRECTORY]``
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import rtreid_ros
from rtreid_ros.postprocess.aflink.model import BUILTIN
from rtreid_ros.postprocess.options import PostprocessOptions, TrainingOptions
from rtreid_ros.runtime.model_card import describe_model, write_section

_TEXT = """# Tracklet linker

`{name}` tells from the last 30 boxes of one tracklet and the first 30 of another whether both are one
person (AFLink; Du et al., StrongSORT, 2023, section 3.3). `rtreid postprocess` uses it. It sees no pictures.

| | `{name}` |
| --- | --- |
| input | `pairs`, {shape}: {channels} |
| output | `confidence`, batch, from 0 to 1 |
| weights | {weights:,}, FP32 |
| file | {size:.2f} MB, ONNX opset 17 |
| SHA-256 | `{digest}` |

## Figures
On {pairs} pairs of {held} people whom training never saw, half of them of one person, the others mostly
close by, all spoiled as detectors and trackers do; a link is made from a confidence of {confidence:g} on.
What linking is worth on results of trackers is in docs/files.md.

| figure | value |
| --- | --- |
{figures}

## How it was made
From random weights, on the ground-truth boxes of {people} people in frames `{frames}` of
{sequences}
(MOTChallenge; no picture was used). The same command with torch {torch} gives the same weights:

```
rtreid train-aflink {sequences} --frames {frames} {options} --output {name}
```

Licence: MIT, as the rest of the repository.
"""


def section(models: Path) -> str:
    """The text about the link model in the folder `models`."""
    facts = describe_model(models / BUILTIN)
    told = facts.metadata
    recipe, figures = json.loads(told["recipe"]), json.loads(told["figures"])
    return _TEXT.format(
        name=BUILTIN,
        shape=facts.input,
        channels=", ".join(json.loads(told["features"])["channels"]),
        weights=facts.weights,
        size=facts.megabytes,
        digest=facts.digest,
        pairs=figures["pairs"],
        held=recipe["held_out_people"],
        confidence=PostprocessOptions().link_confidence,
        figures="\n".join(f"| {name} | {value} |" for name, value in figures.items()),
        people=recipe["people"],
        frames=recipe["frames"],
        sequences=" ".join(recipe["sequences"]),
        torch=recipe["torch"],
        options=" ".join(f"--{name} {recipe[name]}" for name in TrainingOptions.__dataclass_fields__),
    )


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    models = Path(rtreid_ros.__file__ or ".").parent / "models"
    parser.add_argument("--models", type=Path, default=models, help="folder of the model and the card")
    chosen = parser.parse_args(arguments).models
    write_section(chosen, section(chosen))


if __name__ == "__main__":
    main()
