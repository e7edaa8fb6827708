"""A training from beginning to end."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rtreid_ros.errors import ConfigError
from rtreid_ros.reid.checkpoint import Checkpoint, load_checkpoint
from rtreid_ros.reid.data.augmentation import Augmenter
from rtreid_ros.reid.data.clips import ClipSampler
from rtreid_ros.reid.data.fingerprint import fingerprint
from rtreid_ros.reid.data.mixture import MixedSampler
from rtreid_ros.reid.data.sampler import PKSampler
from rtreid_ros.reid.losses import Recipe
from rtreid_ros.reid.models import create_model
from rtreid_ros.reid.models.known_side import takes_side
from rtreid_ros.reid.models.weights import load_pretrained
from rtreid_ros.reid.preprocessing import PRESETS
from rtreid_ros.reid.training.averaging import WeightAverage
from rtreid_ros.reid.training.config import TrainingConfig
from rtreid_ros.reid.training.epoch import EpochLoop
from rtreid_ros.reid.training.interruption import Interruption
from rtreid_ros.reid.training.optimizer import freeze, make_optimizer
from rtreid_ros.reid.training.outputs import BEST, CONFIG, LAST, REPORT, Outputs
from rtreid_ros.reid.training.pictures import load_pictures, tracks_of
from rtreid_ros.reid.training.placement import Placement, device_name, layout_of
from rtreid_ros.reid.training.progress import Progress
from rtreid_ros.reid.training.report import report_page
from rtreid_ros.reid.training.schedule import Schedule
from rtreid_ros.reid.training.state import Course, State, network_options
from rtreid_ros.reid.training.validation import Validator

_WEIGHTS, _LAYERS = 0, 2
"""What is drawn from the seed here; see `epoch` for the rest."""

_ASKED = "interrupted: this epoch is finished and saved first; once more stops at once and loses it"


class Trainer:
    """Trains one network; everything it makes goes to one folder.

    Batches, augmentation and what layers draw follow from the seed and the number of the epoch alone, so a
    training resumed from ``last.pt`` goes on as if never interrupted; on a processor to the last bit.

    Args:
        config: see there.
        output: folder for ``best.pt``, ``last.pt``, ``config.yaml``, ``log.jsonl``, ``report.html`` and
            TensorBoard events.
        resume: what an earlier training left in ``last.pt``; None = begin anew.
        progress: whether to show a bar and say what happens.

    Raises:
        ConfigError: a value does not fit this machine or data set.
        InputError: too few identities or pictures, or no room for them.
        SourceError: the data set cannot be opened or has no picture.
        ModelError: weights to begin with, or those to resume, are of another network.
    """

    def __init__(
        self, config: TrainingConfig, output: Path, resume: Checkpoint | None = None, *, progress: bool = True
    ) -> None:
        self._config, self._output = config, output
        self._placement = placement = Placement(config.training)
        self._shown = progress and placement.main
        if config.sampler.identities % placement.world:
            raise ConfigError(
                f"sampler.identities={config.sampler.identities} cannot be shared equally by "
                f"{placement.world} processes"
            )
        self._pictures = load_pictures(config, placement, progress=self._shown)
        self._sampler = self._make_sampler()
        self._notes: list[str] = []
        self.state = self._make_state()
        if resume is not None:
            self.state.restore(resume, config)
        self._validator = self._make_validator()

    def run(self) -> Course:
        """Train to the end, or until validations no longer get better, or until the user interrupts.

        Raises:
            TrainingError: a loss is no longer a finite number; ``last.pt`` is of the last good epoch.
            SinkError: what was learnt cannot be written. While training goes on, that is a warning, and
                writing is tried again after the next epoch.
            KeyboardInterrupt: the user would not wait for the end of the epoch.
        """
        options, placement, course = self._config.training, self._placement, self.state.course
        progress = self._make_progress()
        outputs = Outputs(self._output, progress.say)
        if placement.main:
            outputs.text(CONFIG, self._config.text())
        loop = self._make_loop()
        for note in self._notes:
            progress.say(note)
        try:
            with placement.settings(options.threads), Interruption(lambda: progress.say(_ASKED)) as signals:
                stop = False
                while not self.finished and not stop:
                    with placement.randomness(options.seed, _LAYERS, course.epochs, placement.rank):
                        row = loop.run(course.epochs, progress)
                    course.epochs += 1
                    stop = placement.from_main(signals.asked)
                    self._end_epoch(row, progress, outputs, stop=stop)
                outputs.close()
                if not self.finished:
                    progress.say(f"stopped after epoch {course.epochs}; {self._how_to_resume()}")
                elif placement.main:
                    self._report(progress, outputs)
        except KeyboardInterrupt:
            progress.say(f"stopped within epoch {course.epochs + 1}; {self._how_to_resume()}")
            raise
        finally:
            progress.close()
        return course

    def _make_sampler(self) -> PKSampler | ClipSampler | MixedSampler:
        images, options, seed = self._pictures.train.images, self._config.sampler, self._config.training.seed
        added = self._pictures.added
        if self._config.data.frames:
            return ClipSampler(images.classes, tracks_of(images), options, self._config.data.frames, seed)
        if added is None:
            return PKSampler(images.classes, options, seed)
        real, ratio = PKSampler(images.classes[: added.real], options, seed), self._config.synthetic.ratio
        mixed = MixedSampler(real, images.classes[added.real :], added.real, ratio, grouped=added.own)
        if mixed.units % self._placement.world:
            raise ConfigError(
                f"synthetic.ratio={ratio:g} makes {mixed.units} in a batch, which cannot be shared equally "
                f"by {self._placement.world} processes"
            )
        return mixed

    def _make_state(self) -> State:
        """Network, average, optimizer and losses as they are before the first step."""
        config, images = self._config, self._pictures.train.images
        added = self._pictures.added
        real = len(images) if added is None or added.own else added.real
        counts = np.bincount(images.classes[:real]).tolist()
        with self._placement.randomness(config.training.seed, _WEIGHTS):
            model = create_model(
                config.model.name, len(counts), len(self._pictures.sides), **network_options(config)
            )
            if len(self._pictures.sides) and not takes_side(model):
                raise ConfigError(
                    f"data.side={config.data.side}: {config.model.name} takes no side information; use "
                    "data.side=none, or a network that does, such as vit_tiny"
                )
            specs = config.values()["losses"]
            recipe = Recipe(specs, model.branches, len(counts), len(images), counts)
        if config.model.pretrained:
            self._notes.append(
                f"{config.model.pretrained}: {load_pretrained(model, config.model.pretrained)}"
            )
        freeze(model, config.model.trainable)
        model = model.to(self._placement.device, memory_format=layout_of(config))
        recipe = recipe.to(self._placement.device)
        average = WeightAverage(model, config.training.ema) if config.training.ema else None
        return State(
            model,
            average,
            make_optimizer(model, config.optimizer),
            recipe,
            Course(),
            self._pictures.sides,
            fingerprint(images, None if added is None else added.real),
        )

    def _make_validator(self) -> Validator | None:
        pictures, images = self._pictures, self._pictures.train.images
        classes, real = int(images.classes.max()) + 1, len(images) - pictures.generated
        self._notes.append(
            f"{pictures.name}: {real} pictures of {classes} identities to learn from"
            + (f", and {pictures.generated} generated" if pictures.generated else "")
            + (f"; {pictures.unreadable} could not be read" if pictures.unreadable else "")
        )
        if pictures.query is None or pictures.gallery is None:
            self._notes.append(
                f"no validation: split {self._config.data.split!r} holds nothing out here, so the last "
                "weights are kept as the best"
            )
            return None
        self._notes.append(f"validation: {len(pictures.query)} queries in {len(pictures.gallery)} pictures")
        return Validator(
            pictures.query,
            pictures.gallery,
            PRESETS[self._config.data.preprocessing],
            self._placement.device,
            layout_of(self._config),
        )

    def _make_progress(self) -> Progress:
        options, course = self._config.training, self.state.course
        batch = self._config.sampler.identities * max(self._config.sampler.images, 1)
        batch += self._sampler.added if isinstance(self._sampler, MixedSampler) else 0
        images = batch * len(self._sampler)
        parameters = sum(item.numel() for item in self.state.model.parameters())
        self._notes.append(
            f"{self._config.model.name}: {parameters / 1e6:.2f} M parameters on {self._placement.device}, "
            f"{options.precision}, {len(self._sampler)} steps an epoch"
        )
        return Progress(
            self._output,
            options.epochs,
            images,
            history=course.history,
            shown=self._shown,
            files=self._placement.main,
            tensorboard=options.tensorboard,
        )

    def _make_loop(self) -> EpochLoop:
        config, network = self._config, self._placement.wrap(self.state.model)
        return EpochLoop(
            config,
            self._placement,
            self._pictures.train,
            added=self._pictures.added,
            sampler=self._sampler,
            augmenter=Augmenter(
                config.augmentation,
                PRESETS[config.data.preprocessing],
                (config.data.height, config.data.width),
            ),
            schedule=Schedule(config.schedule, config.training.epochs, len(self._sampler)),
            state=self.state,
            network=torch.compile(network) if config.training.compile else network,
        )

    @property
    def main(self) -> bool:
        """Whether this process writes files and speaks."""
        return self._placement.main

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to train."""
        return self.state.course.epochs >= self._config.training.epochs or self._exhausted()

    def _how_to_resume(self) -> str:
        return f"go on with: rtreid train-reid --resume {shlex.quote(str(self._output))}"

    def _exhausted(self) -> bool:
        patience = self._config.training.patience
        return bool(patience) and self.state.course.stale >= patience

    def _end_epoch(self, row: dict[str, Any], progress: Progress, outputs: Outputs, *, stop: bool) -> None:
        """Validate where it is time to, take notes, and write: first of all what was learnt."""
        options, course = self._config.training, self.state.course
        last = course.epochs == options.epochs
        better = False
        if self._validator is not None and (
            last or (options.validate_every and course.epochs % options.validate_every == 0)
        ):
            main, model = self._placement.main, self.state.judged()
            figures = self._placement.from_main(self._validator.judge(model).figures if main else {})
            row |= figures
            better = course.note(figures)
        course.history.append(row)
        if not self._placement.main:
            return
        if better or (last and self._validator is None):
            outputs.save(BEST, self.state.checkpoint(self._config, course.best, whole=False))
        if last or stop or self._exhausted() or course.epochs % options.save_every == 0:
            outputs.save(LAST, self.state.checkpoint(self._config, course.best, whole=True))
        outputs.flush()
        progress.epoch(row)

    def _report(self, progress: Progress, outputs: Outputs) -> None:
        """Say how it ended, and make a page of it, with pictures by the weights that are kept."""
        course, best = self.state.course, self._output / BEST
        if self._exhausted():
            progress.say(f"no better mAP in {course.stale} validations: ended after epoch {course.epochs}")
        retrieval = None
        if self._validator is not None and best.exists():
            model = load_checkpoint(best).create_model().to(self._placement.device)
            retrieval = self._validator.judge(model).retrieval
        facts = [
            ("parameters", f"{sum(item.numel() for item in self.state.model.parameters()):,}"),
            ("made with", f"torch {torch.__version__} on {device_name(self._placement.device)}"),
        ]
        page = report_page(self._config, course, self._pictures, retrieval, facts)
        outputs.text(REPORT, page)
