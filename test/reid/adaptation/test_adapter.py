"""Adaptations from beginning to end, in a second."""

import json
import shutil

import numpy as np
import pytest
import torch
from support.trainings import at_step_of, check_resumption, interrupt, same

from rtreid_ros.datasets.identities import open_identities
from rtreid_ros.errors import ConfigError, InputError, ModelError, TrainingError
from rtreid_ros.evaluation.retrieval import embed_set
from rtreid_ros.reid.adaptation.adapter import Adapter
from rtreid_ros.reid.adaptation.config import read_adaptation
from rtreid_ros.reid.adaptation.density import NOISE
from rtreid_ros.reid.adaptation.observer import Observer
from rtreid_ros.reid.base import EmbedderOptions
from rtreid_ros.reid.checkpoint import load_checkpoint
from rtreid_ros.reid.losses.cluster_contrast import ClusterContrast
from rtreid_ros.reid.models.session import open_checkpoint


def test_it_adapts_and_tells_how_it_went(adapter, judged, rehearsed, tmp_path):
    trial = adapter(*judged, *rehearsed, "adaptation.compare_labels=true")
    course = trial.run()
    assert trial.finished
    rows = [json.loads(line) for line in (tmp_path / "out/log.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    for name in ("loss", "clusters", "noise", "eps", "silhouette", "agreement", "purity", "v_measure", "map"):
        assert all(np.isfinite(row[name]) for row in rows), name
    assert course.statistics["clusters"] >= 2
    assert {"map", "rank1"} <= course.before.keys() & course.kept.keys()
    page = (tmp_path / "out/report.html").read_text()
    assert "statistics of the target (AdaBN)" in page
    assert f"kept, of round {course.best_round}" in page
    best = load_checkpoint(tmp_path / "out/best.pt")
    assert (best.epoch, best.classes, best.size) == (course.best_round, 0, (32, 16))
    scores = [course.statistics["silhouette"], *(row["silhouette"] for row in rows)]
    highest = np.maximum.accumulate(scores)
    assert course.best_round == np.flatnonzero(np.array(scores) >= highest - 0.02)[-1]


def test_what_it_makes_embeds_like_any_checkpoint(adapter, people, tmp_path):
    adapter().run()
    embedder = open_checkpoint(tmp_path / "out/best.pt", EmbedderOptions())
    pictures = open_identities("market1501", str(people), "mod5").query
    assert np.isfinite(embed_set(embedder, pictures, progress=False).vectors).all()


@pytest.mark.parametrize(
    "overrides",
    [("losses.triplet=on", "losses.cross_batch_memory.warmup=2"), ("adaptation.ema=0", "optimizer.name=sgd")],
)
def test_a_resumed_adaptation_equals_one_that_was_never_interrupted(
    adapter, rehearsed, tmp_path, monkeypatch, overrides
):
    check_resumption(adapter, load_checkpoint, monkeypatch, tmp_path, *overrides, *rehearsed)


def test_ctrl_c_finishes_the_round_and_says_how_to_go_on(adapter, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        at_step_of(patch, 1, lambda: interrupt(1))
        trial = adapter()
        trial.run()
    assert not trial.finished
    assert load_checkpoint(tmp_path / "out/last.pt").epoch == 1
    assert not (tmp_path / "out/report.html").exists()
    assert adapter(resume=True).run().rounds == 3


def test_nothing_follows_from_labels(adapter, judged, tmp_path):
    adapter(*judged, "adaptation.compare_labels=true", name="told").run()
    adapter(name="untold").run()
    one, other = (load_checkpoint(tmp_path / name / "best.pt") for name in ("told", "untold"))
    assert one.epoch == other.epoch
    assert same(one.weights, other.weights)


def test_a_seed_decides_everything(adapter, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        adapter(f"adaptation.seed={seed}", name=name).run()
    a, b, c = (load_checkpoint(tmp_path / name / "last.pt").weights for name in "abc")
    assert same(a, b)
    assert not same(a, c)


def test_statistics_alone_change_no_weight(adapter, best, tmp_path):
    trial = adapter()
    before = load_checkpoint(best).weights
    trial._begin(trial._make_progress(), _Nowhere())
    after = trial.state.judged().state_dict()
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    changed -= {"classifier.weight"}  # of other people, so it was left out
    assert changed
    assert all("running_" in name or "num_batches" in name for name in changed)


class _Nowhere:
    def save(self, name, checkpoint):
        pass


def test_an_exported_network_begins_where_its_checkpoint_does(adapter, exported, people, judged, tmp_path):
    trial = adapter(f"model.pretrained={exported}", *judged, name="file")
    course = trial.run()
    from_checkpoint = adapter(*judged, name="checkpoint").run()
    assert course.before["map"] == pytest.approx(from_checkpoint.before["map"], abs=0.01)
    assert course.statistics["map"] == pytest.approx(course.before["map"], abs=0.05)  # they are the target's
    assert course.rounds == 3
    assert load_checkpoint(tmp_path / "file/best.pt").options["width"] == 0.125


def test_to_go_on_the_weights_it_began_with_are_not_needed(adapter, best, tmp_path, monkeypatch):
    copied = shutil.copy(best, tmp_path / "start.pt")
    with monkeypatch.context() as patch:
        at_step_of(patch, 1, lambda: interrupt(1))
        adapter(f"model.pretrained={copied}").run()
    copied.unlink()
    last = load_checkpoint(tmp_path / "out/last.pt")
    config = read_adaptation(last.config, begun=True)
    assert Adapter(config, tmp_path / "out", last, progress=False).run().rounds == 3


def test_to_go_on_with_other_pictures_is_refused(adapter, others, monkeypatch):
    with monkeypatch.context() as patch:
        at_step_of(patch, 1, lambda: interrupt(1))
        adapter().run()
    with pytest.raises(ModelError, match=r"learnt from other pictures \(72 there, 24 here\)"):
        adapter(f"data.root={others}", "data.split=all", resume=True)


def test_stable_clusters_end_it(adapter):
    trial = adapter("adaptation.stable=0.01", "adaptation.rounds=9")
    assert trial.run().rounds == 2  # two in a row
    assert "stable for 2 rounds" in trial.course.ending(trial._config.adaptation)


def test_clusters_that_get_no_better_end_it(adapter, monkeypatch):
    scores = iter([0.5, 0.6, 0.59, 0.55, 0.5])
    observe = Observer.observe

    def scored(self, model, number):
        found = observe(self, model, number)
        found.figures["silhouette"] = next(scores)
        return found

    monkeypatch.setattr(Observer, "observe", scored)
    course = adapter("adaptation.patience=2", "adaptation.rounds=9").run()
    assert (course.rounds, course.best_round, course.best) == (4, 2, 0.6)


def test_too_few_pictures_are_refused(adapter):
    with pytest.raises(InputError, match="are too few to find people in; a cluster needs 500"):
        adapter("clusters.least=500")


def test_without_clusters_nothing_is_learnt(adapter, tmp_path):
    with pytest.raises(TrainingError, match=r"before the first round the 72 pictures make 0 clusters, 100 %"):
        adapter("clusters.eps=0.0000001", "clusters.least=40").run()
    assert not (tmp_path / "out/best.pt").exists()


def test_clusters_that_fall_apart_leave_the_last_good_round(adapter, tmp_path, monkeypatch):
    from rtreid_ros.reid.adaptation import observer  # noqa: PLC0415

    found, calls = observer.cluster, iter(range(9))

    def fading(vectors, options, links):
        clustering = found(vectors, options, links)
        if next(calls) == 2:
            clustering.labels[:] = NOISE
        return clustering

    monkeypatch.setattr(observer, "cluster", fading)
    with pytest.raises(TrainingError, match="after round 2 the 72 pictures make 0 clusters, 100 % of them"):
        adapter().run()
    assert load_checkpoint(tmp_path / "out/last.pt").epoch == 1


def test_a_loss_that_is_no_number_ends_it_and_keeps_the_last_good_round(adapter, tmp_path, monkeypatch):
    judge, calls = ClusterContrast.judge, iter(range(99))

    def broken(self, output, labels):
        value = judge(self, output, labels)
        return value * float("nan") if next(calls) == 6 else value  # in the second round of four batches

    monkeypatch.setattr(ClusterContrast, "judge", broken)
    with pytest.raises(TrainingError, match="the loss is nan in epoch 2, step 3"):
        adapter().run()
    last = load_checkpoint(tmp_path / "out/last.pt")
    assert last.epoch == 1
    assert all(torch.isfinite(value).all() for value in last.weights.values())


def test_losses_of_logits_are_refused(adapter):
    with pytest.raises(ConfigError, match="no loss may judge logits; take cluster_contrast"):
        adapter("losses.cross_entropy=on")


def test_a_checkpoint_of_a_training_is_not_resumed(config, best, tmp_path):
    with pytest.raises(ModelError, match="not to be resumed by an adaptation"):
        Adapter(config(), tmp_path, load_checkpoint(best.with_name("last.pt")), progress=False)
