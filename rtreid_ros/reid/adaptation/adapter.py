"""An adaptation from beginning to end."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from rtreid_ros.errors import ConfigError, ModelError
from rtreid_ros.reid.adaptation.config import AdaptationConfig, find_start
from rtreid_ros.reid.adaptation.course import AdaptationCourse
from rtreid_ros.reid.adaptation.observer import Observation, Observer
from rtreid_ros.reid.adaptation.pictures import load_adaptation
from rtreid_ros.reid.adaptation.quality import agreement
from rtreid_ros.reid.adaptation.report import adaptation_page, told
from rtreid_ros.reid.adaptation.rounds import Rounds
from rtreid_ros.reid.checkpoint import Checkpoint, load_checkpoint
from rtreid_ros.reid.checkpoint_file import fitting
from rtreid_ros.reid.data.fingerprint import check_same_pictures, fingerprint
from rtreid_ros.reid.export.reading import Exported
from rtreid_ros.reid.losses import Recipe
from rtreid_ros.reid.models import ReIDModel, create_model
from rtreid_ros.reid.models.weights import fill, load_pretrained
from rtreid_ros.reid.training.averaging import WeightAverage
from rtreid_ros.reid.training.interruption import Interruption
from rtreid_ros.reid.training.optimizer import freeze, make_optimizer
from rtreid_ros.reid.training.outputs import BEST, CONFIG, LAST, REPORT, Outputs
from rtreid_ros.reid.training.placement import Placement, device_name, layout_of
from rtreid_ros.reid.training.progress import Progress
from rtreid_ros.reid.training.state import Course, State, check_same_network, network_options

_WEIGHTS, _LAYERS = 0, 2
"""What is drawn from the seed here; augmentation draws by 1, `observer` by 3."""

_MATURE = 100_000
"""Updates the average has behind it at the start: its first weights are no random ones to be forgotten."""

_ASKED = "interrupted: this round is finished and saved first; once more stops at once and loses it"


class Adapter:
    """Adapts one network to pictures nobody has labelled; everything it makes goes to one folder.

    Each round embeds the target with the averaged network (the mean teacher of Ge et al., Mutual
    Mean-Teaching, ICLR 2020), finds clusters, and takes them for identities in a round of training (Dai et
    al., Cluster Contrast, ACCV 2022); with a source, its identities stand beside the clusters, so that they
    are not forgotten (as in Ge et al., SpCL, NeurIPS 2020). The last network is kept whose clusters have
    about the highest silhouette. Clusters, the end and what is kept follow from the target's pictures,
    cameras and tracklets; `evaluation` is only reported.

    What a round draws follows from the seed and its number, so an adaptation resumed from ``last.pt`` goes
    on as if never interrupted; on a processor to the last bit.

    Args:
        config: see there.
        output: folder for ``best.pt``, ``last.pt``, ``config.yaml``, ``log.jsonl``, ``report.html``.
        resume: what an earlier adaptation left in ``last.pt``; None = begin anew.
        progress: whether to show bars and say what happens.

    Raises:
        ConfigError: a value does not fit, or what judges is learnt from.
        InputError: too few pictures, or no room for them.
        SourceError: a data set cannot be opened or has no picture.
        ModelError: weights to begin with, or those to resume, are of another network, or those to resume
            have learnt from other pictures.
    """

    def __init__(
        self,
        config: AdaptationConfig,
        output: Path,
        resume: Checkpoint | None = None,
        *,
        progress: bool = True,
    ) -> None:
        self._config, self._learning, self._output = config, config.learning, output
        self._shown, self._resumed = progress, resume is not None
        self._placement = Placement(config.learning.training)
        if self._placement.world > 1:
            raise ConfigError("adaptation runs in one process; start it without torchrun or accelerate")
        self._facts: list[tuple[str, str]] = []
        self._folded: tuple[str, ...] = ()
        self.course = AdaptationCourse()
        self.state = self._make_state(resume)  # before pictures are decoded: what is wrong is said at once
        if resume is not None:
            self._restore(resume)
        pictures = load_adaptation(config, self._placement, progress=progress)
        self._learnt_from = fingerprint(pictures.target)
        if resume is not None:
            check_same_pictures(resume.training.get("pictures"), self._learnt_from)
        self._facts += pictures.facts(config)
        self._observer = Observer(config, pictures, self._placement)
        self._rounds = Rounds(config, pictures, self._placement, self.state, self._observer)

    def run(self) -> AdaptationCourse:
        """Rounds until clusters are stable or get worse, or all are done, or the user interrupts.

        Raises:
            TrainingError: a loss is no finite number, or there are no two clusters to learn from; the files
                are of the last good round.
            SinkError: what was learnt cannot be written; see `Outputs`.
            KeyboardInterrupt: the user would not wait for the end of the round.
        """
        options, course = self._config.adaptation, self.course
        progress = self._make_progress()
        outputs = Outputs(self._output, progress.say)
        outputs.text(CONFIG, self._config.text())
        for name, fact in self._facts:
            progress.say(f"{name}: {fact}")
        signals = Interruption(lambda: progress.say(_ASKED))
        try:
            with self._placement.settings(options.threads), signals:
                seen = self._observe() if self._resumed else self._begin(progress, outputs)
                while not course.ending(options) and not signals.asked:
                    seen = self._round(seen, progress, outputs)
                outputs.close()
            ending = course.ending(options)
            if ending:
                progress.say(f"{ending}; the network after round {course.best_round} is kept")
                course.kept = self._observer.judge(self._kept())
                progress.say(f"kept: {told(course.kept)}")
                outputs.text(REPORT, self._report())
            else:
                progress.say(f"stopped after round {course.rounds}; {self._how_to_resume()}")
        except KeyboardInterrupt:
            progress.say(f"stopped within round {course.rounds + 1}; {self._how_to_resume()}")
            raise
        finally:
            progress.close()
        return course

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do."""
        return bool(self.course.ending(self._config.adaptation))

    def _begin(self, progress: Progress, outputs: Outputs) -> Observation:
        """The network as it came, then with the target's statistics, which is where rounds begin."""
        course, judged = self.course, self.state.judged()
        networks = {id(model): model for model in (judged, self.state.model)}.values()
        if self._folded:
            for model in networks:
                self._observer.restore(model, self._folded)
        course.before = self._observer.judge(judged)
        progress.say(f"before: {told(course.before)}")
        figures = course.before
        if self._config.adaptation.statistics:
            for model in networks:
                self._observer.estimate(model, 0)
            figures = self._observer.judge(judged)
        seen = self._observe()
        course.statistics = {**seen.figures, **figures}
        progress.say(f"statistics of the target: {told(course.statistics)}")
        course.begin(seen.figures["silhouette"])
        outputs.save(BEST, self._checkpoint(course.statistics, whole=False))
        outputs.save(LAST, self._checkpoint(course.statistics, whole=True))
        return seen

    def _round(self, seen: Observation, progress: Progress, outputs: Outputs) -> Observation:
        """Learn from the clusters that were seen; what is seen then."""
        options, course = self._config.adaptation, self.course
        loop = self._rounds.loop(seen.clustering.labels, course.rounds)
        with self._placement.randomness(options.seed, _LAYERS, course.rounds):
            row = loop.run(course.rounds, progress)
        number = course.rounds + 1
        if options.statistics:
            self._observer.estimate(self.state.judged(), number)
        after = self._observer.observe(self.state.judged(), number)
        figures = dict(after.figures)
        figures["agreement"] = agreement(seen.clustering.labels, after.clustering.labels)
        if options.judge_every and number % options.judge_every == 0:
            figures |= self._observer.judge(self.state.judged())
        row |= figures
        kept = course.note(row, options)
        progress.epoch(row)
        progress.say(f"round {number}: {told(row)}{'' if kept else '; not kept'}")
        if kept:
            outputs.save(BEST, self._checkpoint(figures, whole=False))
        outputs.save(LAST, self._checkpoint(figures, whole=True))
        return after

    def _observe(self) -> Observation:
        return self._observer.observe(self.state.judged(), self.course.rounds)

    def _kept(self) -> ReIDModel:
        model: ReIDModel = load_checkpoint(self._output / BEST).create_model().to(self._placement.device)
        return model

    def _make_state(self, resume: Checkpoint | None) -> State:
        learning, placement, options = self._learning, self._placement, self._config.adaptation
        start = None if resume is not None else find_start(learning.model.pretrained)
        known = resume if start is None else start.checkpoint
        with placement.randomness(options.seed, _WEIGHTS):
            cameras = 0 if known is None else known.cameras
            model = create_model(learning.model.name, 0, cameras, **network_options(learning))
        recipe = Recipe(learning.values()["losses"], model.branches, 1, 1, [1])
        if recipe.judges_logits:
            raise ConfigError(
                f"losses {', '.join(learning.losses)}: clusters change from round to round, so no loss may "
                "judge logits; take cluster_contrast, or losses of pairs"
            )
        self._begin_weights(model, start, resume)
        freeze(model, learning.model.trainable)
        model = model.to(placement.device, memory_format=layout_of(learning))
        average = WeightAverage(model, options.ema) if options.ema else None
        if average is not None:
            average.updates = _MATURE
        return State(model, average, make_optimizer(model, learning.optimizer), recipe, Course())

    def _begin_weights(self, model: ReIDModel, start: Exported | None, resume: Checkpoint | None) -> None:
        """Give `model` what it begins with; weights to go on with come with the rest of the state."""
        source = self._learning.model.pretrained
        if resume is not None:
            self._facts.append((source, f"gone on with after round {resume.epoch}"))
        elif start is None:
            self._facts.append((source, str(load_pretrained(model, source))))
        else:
            self._facts.append((source, str(fill(model, start.checkpoint.weights, source))))
            self._folded = start.folded

    def _make_progress(self) -> Progress:
        options, sampler = self._config.adaptation, self._learning.sampler
        images = sampler.identities * max(sampler.images, 1) * options.steps
        return Progress(
            *(self._output, options.rounds, images),
            history=self.course.history,
            shown=self._shown,
            tensorboard=options.tensorboard,
        )

    def _checkpoint(self, figures: dict[str, Any], *, whole: bool) -> Checkpoint:
        """The state as a file's content; `whole`: with all that resuming needs."""
        kept = self.state.checkpoint(self._learning, figures, whole=False)
        training: dict[str, Any] = {}
        if whole:
            training = {
                **self.state.learnt(),
                "course": self.course.as_dict(),
                "pictures": self._learnt_from,
            }
        return replace(kept, epoch=self.course.rounds, config=self._config.values(), training=training)

    def _restore(self, checkpoint: Checkpoint) -> None:
        """Become what a whole checkpoint holds."""
        saved = checkpoint.training
        if "course" not in saved:
            raise ModelError("this checkpoint is not to be resumed by an adaptation; the last.pt of one is")
        check_same_network(checkpoint, self._learning, self.state.model)
        with fitting("this network or optimizer"):
            self.state.restore_learnt(checkpoint)
        self.course = AdaptationCourse(**saved["course"])

    def _how_to_resume(self) -> str:
        return f"go on with: rtreid adapt --resume {shlex.quote(str(self._output))}"

    def _report(self) -> str:
        made = f"torch {torch.__version__} on {device_name(self._placement.device)}"
        facts = [*self._facts, ("made with", made)]
        return adaptation_page(self._learning.model.name, self.course, facts, self._config.text())
