"""Training of the link model on little data."""

import numpy as np
import pytest

from rtreid_ros.errors import SourceError
from rtreid_ros.postprocess.aflink.judge import judge
from rtreid_ros.postprocess.aflink.sampling import PairSampler
from rtreid_ros.postprocess.aflink.truth import read_scenes
from rtreid_ros.postprocess.options import TrainingOptions


def write_sequence(folder, people=14, frames=80, rate=10):
    """People who walk to and fro beside each other."""
    (folder / "gt").mkdir(parents=True)
    (folder / "seqinfo.ini").write_text(
        f"[Sequence]\nname={folder.name}\nframeRate={rate}\nseqLength={frames}\nimWidth=900\nimHeight=600\n"
    )
    lines = []
    for person in range(1, people + 1):
        for frame in range(1, frames + 1):
            x = 400 + 300 * np.sin(person + frame / 15) + 2 * person
            lines.append(f"{frame},{person},{x:.1f},{200 + 5 * person},40,100,1,1,1\n")
    (folder / "gt" / "gt.txt").write_text("".join(lines))
    return folder


@pytest.fixture
def sequence(tmp_path):
    return write_sequence(tmp_path / "walks")


@pytest.mark.parametrize(
    ("frames", "seconds"), [("all", (0.1, 8)), ("first-half", (0.1, 4)), ("second-half", (4.1, 8))]
)
def test_halves_of_the_truth_are_kept_apart(sequence, frames, seconds):
    (scene,) = read_scenes([sequence], frames)
    times = np.concatenate([person.rows[:, 0] for person in scene.people])
    assert (times.min(), times.max()) == pytest.approx(seconds)


def test_a_folder_of_sequences_is_all_of_them(sequence, tmp_path):
    write_sequence(tmp_path / "more", people=3)
    assert [(scene.name, len(scene.people)) for scene in read_scenes([tmp_path], "all")] == [
        ("more", 3),
        ("walks", 14),
    ]


def test_places_without_people_are_explained(tmp_path):
    with pytest.raises(SourceError, match=r"no ground truth; looked for gt/gt.txt"):
        read_scenes([tmp_path / "none"], "all")
    empty = write_sequence(tmp_path / "empty", frames=9)
    with pytest.raises(SourceError, match="no pedestrian is seen"):
        read_scenes([empty], "all")


def test_equal_seeds_draw_equal_pairs(sequence):
    scenes = read_scenes([sequence], "all")
    first, second = (PairSampler(scenes, np.random.default_rng(5)).draw(100) for _ in range(2))
    assert first[0].tobytes() == second[0].tobytes()
    assert first[1].tobytes() == second[1].tobytes()
    other = PairSampler(scenes, np.random.default_rng(6)).draw(100)
    assert first[0].tobytes() != other[0].tobytes()


def test_pairs_are_such_as_linking_meets(sequence):
    pairs, labels = PairSampler(read_scenes([sequence], "all"), np.random.default_rng(0)).draw(1000)
    assert np.isfinite(pairs).all()
    assert 0.4 < labels.mean() < 0.6
    assert (pairs[:, 0, -1, -1] == 1).all()
    assert (pairs[:, 1, 0, -1] == 1).all()
    gaps = pairs[:, 1, 0, 0]
    assert gaps.min() >= 0.1 - 1e-6
    assert gaps.max() < 1.3
    way = np.hypot(pairs[:, 1, 0, 1], pairs[:, 1, 0, 2])
    assert (way[labels == 0] < 1).mean() > 0.2  # somebody else within a height


def test_figures_by_hand():
    confidence = np.array([0.99, 0.97, 0.96, 0.3, 0.2], np.float32)
    figures = judge(confidence, np.array([1, 1, 0, 1, 0], np.float32), 0.95)
    assert figures == pytest.approx({"precision": 2 / 3, "recall": 2 / 3, "auc": 5 / 6})


@pytest.fixture
def training():
    pytest.importorskip("torch", reason="torch is not installed (extra train)")
    pytest.importorskip("onnx")
    from rtreid_ros.postprocess.aflink import training  # noqa: PLC0415

    return training


def test_a_few_steps_lower_the_loss_and_equal_seeds_give_equal_weights(sequence, training):
    scenes = read_scenes([sequence], "all")
    options = TrainingOptions(epochs=6, pairs=512, batch=64)
    net, losses = training.train(scenes, options, progress=False)
    again, same = training.train(scenes, options, progress=False)
    assert losses[-1] < 0.85 * losses[0]
    assert losses == same
    for one, other in zip(net.parameters(), again.parameters(), strict=True):
        assert one.equal(other)
    assert (
        training.train(scenes, TrainingOptions(epochs=1, pairs=512, batch=64, seed=1), progress=False)[1]
        != losses[:1]
    )


def test_a_fifth_of_the_people_is_held_out(sequence, training):
    kept, held = training.split(read_scenes([sequence], "all"), seed=0)
    ids = [{person.id for scene in part for person in scene.people} for part in (kept, held)]
    assert (len(ids[0]), len(ids[1])) == (11, 3)
    assert not ids[0] & ids[1]
    with pytest.raises(SourceError, match="too few"):
        training.split(read_scenes([sequence], "all")[:0], seed=0)


def test_the_command_writes_a_model_that_postprocess_takes(sequence, training, tmp_path, capsys):
    from rtreid_ros.cli.main import main  # noqa: PLC0415
    from rtreid_ros.postprocess.aflink.model import LinkModel  # noqa: PLC0415

    path = tmp_path / "deep" / "link.onnx"
    words = ["train-aflink", sequence, "--output", path, "--epochs", 1, "--pairs", 128, "--batch", 64]
    assert main([str(word) for word in [*words, "--frames", "first-half", "--seed", 3]]) == 0
    said = capsys.readouterr().out
    assert '"auc"' in said
    assert f"--link-model {path}" in said
    metadata = LinkModel(str(path)).metadata
    assert '"seed": 3' in metadata["recipe"]
    assert '"frames": "first-half"' in metadata["recipe"]
