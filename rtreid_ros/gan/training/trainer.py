"""A training from beginning to end."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import torch
from torch import nn

from rtreid_ros.errors import ConfigError, TrainingError
from rtreid_ros.gan.checkpoint import GanCheckpoint, save_gan
from rtreid_ros.gan.features import FeatureNetwork
from rtreid_ros.gan.grid import write_picture
from rtreid_ros.gan.groups import Groups, by_appearance, by_camera
from rtreid_ros.gan.networks import DISCRIMINATORS, GENERATORS, Encoder
from rtreid_ros.gan.objectives import OBJECTIVES, Players
from rtreid_ros.gan.training.checks import check_discriminator, check_turns
from rtreid_ros.gan.training.config import GanConfig
from rtreid_ros.gan.training.epoch import EpochLoop
from rtreid_ros.gan.training.judging import Judge
from rtreid_ros.gan.training.options import OptimizerOptions
from rtreid_ros.gan.training.pictures import load_pictures
from rtreid_ros.gan.training.report import report_page, sheet_path
from rtreid_ros.gan.training.state import Course, Optimizers, State, check_resumable
from rtreid_ros.reid.data.fingerprint import fingerprint
from rtreid_ros.reid.training.averaging import WeightAverage
from rtreid_ros.reid.training.interruption import Interruption
from rtreid_ros.reid.training.options import TrainingOptions as PlaceOptions
from rtreid_ros.reid.training.outputs import BEST, CONFIG, LAST, REPORT, Outputs
from rtreid_ros.reid.training.placement import Placement, device_name
from rtreid_ros.reid.training.progress import Progress

_WEIGHTS, _LAYERS = 0, 2
"""What is drawn from the seed here; see `epoch` for the rest."""

_ASKED = "interrupted: this epoch is finished and saved first; once more stops at once and loses it"


class GanTrainer:
    """Trains a generator; everything it makes goes to one folder.

    Batches, noise and views follow from the seed and the number of the step alone, so a training resumed
    from ``last.pt`` goes on as if never interrupted; on a processor to the last bit.

    Args:
        config: see there.
        output: folder for ``best.pt``, ``last.pt``, ``config.yaml``, ``log.jsonl``, ``report.html``,
            ``samples`` and TensorBoard events.
        resume: what an earlier training left in ``last.pt``; None = begin anew.
        progress: whether to show a bar and say what happens.

    Raises:
        ConfigError: a value does not fit this machine, data set or network.
        InputError: too few pictures, or no room for them.
        SourceError: the data set cannot be opened or has no picture.
        ModelError: what to resume is of another network, or the network of features cannot be loaded.
    """

    def __init__(
        self, config: GanConfig, output: Path, resume: GanCheckpoint | None = None, *, progress: bool = True
    ) -> None:
        self._config, self._output, self._shown = config, output, progress
        self._placement = placement = Placement(PlaceOptions(device=config.training.device))
        if placement.world > 1:
            raise ConfigError(
                "rtreid train-gan trains in one process: start it without accelerate or torchrun"
            )
        check_discriminator(config)
        self._train, reference = load_pictures(config, placement.device, progress=progress)
        check_turns(config, len(self._train) // config.training.batch)
        self._network = FeatureNetwork(config.features, config.training.threads)
        pictures = fingerprint(self._train)
        if resume is not None:
            check_resumable(resume, config, pictures)
        self.state = self._make_state(self._groups(resume), pictures)
        if resume is not None:
            self.state.restore(resume)
        self._judge = Judge(config.judging, reference, self.state.groups, self._network, placement.device)

    def run(self) -> Course:
        """Train to the end, or until the user interrupts.

        Raises:
            TrainingError: a loss is no longer a finite number; ``last.pt`` is of the last epoch saved.
            SinkError: what was learnt cannot be written. While training goes on, that is a warning, and
                writing is tried again after the next epoch.
            KeyboardInterrupt: the user would not wait for the end of the epoch.
        """
        options, placement, course = self._config.training, self._placement, self.state.course
        progress = self._make_progress()
        outputs = Outputs(self._output, progress.say, save_gan)
        outputs.text(CONFIG, self._config.text())
        loop = EpochLoop(self._config, self._train.images, self.state, placement.device)
        try:
            with placement.settings(options.threads), Interruption(lambda: progress.say(_ASKED)) as signals:
                stop = False
                while not self.finished and not stop:
                    with placement.randomness(options.seed, _LAYERS, course.epochs):
                        row = loop.run(course.epochs, progress)
                    course.epochs += 1
                    stop = signals.asked
                    self._end_epoch(row, progress, outputs, stop=stop)
                outputs.close()
                if self.finished:
                    outputs.text(REPORT, self._report())
                else:
                    progress.say(f"stopped after epoch {course.epochs}; {self._how_to_resume()}")
        except TrainingError as error:
            kept = "is of the last epoch saved" if (self._output / LAST).exists() else "was not saved yet"
            raise TrainingError(f"{error}; {LAST} {kept}") from error
        except KeyboardInterrupt:
            progress.say(f"stopped within epoch {course.epochs + 1}; {self._how_to_resume()}")
            raise
        finally:
            progress.close()
        return course

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to train."""
        return self.state.course.epochs >= self._config.training.epochs

    def _groups(self, resume: GanCheckpoint | None) -> Groups | None:
        """Groups of the training pictures: those of the training that is resumed, or new ones."""
        options = self._config.groups
        if options.by == "none":
            return None
        if resume is not None:
            return Groups(resume.training["labels"].numpy(), resume.training["centres"].numpy())
        features = self._network.of(self._train.images, self._shown)
        if options.by == "camera":
            return by_camera(self._train.cameras, features)
        return by_appearance(features, options, self._config.training.seed)

    def _make_state(self, groups: Groups | None, pictures: dict[str, Any]) -> State:
        """Networks, average and optimizers as they are before the first step."""
        config, device = self._config, self._placement.device
        size, count = (config.data.height, config.data.width), 0 if groups is None else len(groups.counts)
        with self._placement.randomness(config.training.seed, _WEIGHTS):
            generator = GENERATORS[config.generator.name](size, count, config.own["generator"])
            discriminator = DISCRIMINATORS[config.discriminator.name](
                size, count, config.own["discriminator"]
            )
            encoder = None
            if OBJECTIVES[config.objective.name].encodes:
                encoder = Encoder(size, generator.latent, config.encoder)
        players = Players(generator, discriminator, encoder)
        for player in players.named().values():
            player.to(device, memory_format=torch.channels_last)  # convolutions like it, on processors, too
        average = WeightAverage(players.generator, config.training.ema) if config.training.ema else None
        optimizers = make_optimizers(players, config.optimizer)
        return State(players, optimizers, average, groups, Course(), pictures)

    def _make_progress(self) -> Progress:
        options, config, course = self._config.training, self._config, self.state.course
        steps = len(self._train) // options.batch
        progress = Progress(
            self._output,
            options.epochs,
            steps * options.batch,
            history=course.history,
            shown=self._shown,
            tensorboard=options.tensorboard,
        )
        progress.say(self._about_pictures())
        progress.say(
            f"{config.generator.name} generator {_millions(self.state.players.generator)} and "
            f"{config.discriminator.name} discriminator {_millions(self.state.players.discriminator)} on "
            f"{self._placement.device}, objective {config.objective.name}, {steps} steps an epoch"
        )
        return progress

    def _about_pictures(self) -> str:
        train, counts = self._train, self.state.counts
        unreadable = f"; {len(train.unreadable)} could not be read" if train.unreadable else ""
        grouped = f", in {len(counts)} groups of {min(counts)} to {max(counts)}" if counts else ""
        return f"{self._config.data.dataset}: {len(train)} pictures to learn from{grouped}{unreadable}"

    def _how_to_resume(self) -> str:
        return f"go on with: rtreid train-gan --resume {shlex.quote(str(self._output))}"

    def _end_epoch(self, row: dict[str, Any], progress: Progress, outputs: Outputs, *, stop: bool) -> None:
        """Judge where it is time to, take notes, and write: first of all what was learnt."""
        training, judging, course = self._config.training, self._config.judging, self.state.course
        judged = self.finished or bool(judging.every and course.epochs % judging.every == 0)
        better = False
        if judged:
            figures = self._judge.figures(self.state.judged())
            row |= figures
            better = course.note(figures)
        course.history.append(row)
        if better:
            outputs.save(BEST, self.state.checkpoint(self._config, course.best, whole=False))
        if self.finished or stop or course.epochs % training.save_every == 0:
            outputs.save(LAST, self.state.checkpoint(self._config, course.best, whole=True))
        outputs.flush()
        progress.epoch(row)
        if judged:
            sheet, path = self._judge.sheet(self.state.judged()), sheet_path(self._output, course.epochs)
            outputs.try_to(lambda: write_picture(sheet, path))
            told = f"group accuracy {row['group_accuracy']:.3f}, " if "group_accuracy" in row else ""
            progress.say(
                f"epoch {course.epochs}/{training.epochs}: KID {row['kid']:.4f} ± "
                f"{row['kid_spread']:.4f}, FID {row['fid']:.2f}, variety {row['variety']:.2f}, {told}"
                f"{row['images_per_second']:.0f} images/s"
            )

    def _report(self) -> str:
        players = [(name, f"{_millions(player)}") for name, player in self.state.players.named().items()]
        facts = [
            ("pictures to learn from", self._about_pictures()),
            *players,
            ("made with", f"torch {torch.__version__} on {device_name(self._placement.device)}"),
        ]
        return report_page(self._config, self.state.course, self._network.name, self._output, facts)


def make_optimizers(players: Players, options: OptimizerOptions) -> Optimizers:
    """One for each player; the loop sets their rates."""
    made: Optimizers = {}
    for name, player in players.named().items():
        rate = options.discriminator_lr if name == "discriminator" else options.generator_lr
        if options.name == "adam":
            betas = (options.beta1, options.beta2)
            made[name] = torch.optim.Adam(player.parameters(), rate, betas=betas, fused=True)
        else:
            made[name] = torch.optim.RMSprop(player.parameters(), rate, alpha=options.beta2)
    return made


def _millions(network: nn.Module) -> str:
    return f"{sum(item.numel() for item in network.parameters()) / 1e6:.2f} M"
