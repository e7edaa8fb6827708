"""What a training writes, and disks that are full."""

import contextlib
import json
import resource
import sys
from html.parser import HTMLParser

import pytest

from rtreid_ros.errors import SinkError
from rtreid_ros.reid.checkpoint import load_checkpoint
from rtreid_ros.reid.training.config import read_config
from rtreid_ros.reid.training.outputs import Outputs
from rtreid_ros.reid.training.progress import Progress


@contextlib.contextmanager
def largest_file(size):
    """The kernel refuses to write files beyond `size`, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def finished(trainer, tmp_path):
    trainer("training.epochs=2", "training.tensorboard=true", "losses.centre=on").run()
    return tmp_path / "out"


@pytest.fixture
def checkpoint(trainer):
    make = trainer()
    return make.state.checkpoint(read_config({}), {}, whole=True)


def test_all_files_are_there(finished):
    names = {path.name for path in finished.iterdir()}
    assert names == {"best.pt", "last.pt", "config.yaml", "log.jsonl", "report.html", "tensorboard"}
    assert read_config(finished / "config.yaml").training.epochs == 2
    rows = [json.loads(line) for line in (finished / "log.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2]
    assert {"loss", "losses", "lr", "seconds", "images_per_second", "map", "rank1"} <= rows[1].keys()


def test_tensorboard_reads_the_events(finished):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # noqa: PLC0415

    events = EventAccumulator(str(finished / "tensorboard")).Reload()
    names = {"loss/total", "loss/cross_entropy", "loss/triplet", "loss/centre", "lr", "images_per_second"}
    assert names <= set(events.Tags()["scalars"])
    rows = [json.loads(line) for line in (finished / "log.jsonl").read_text().splitlines()]
    assert [(item.step, item.value) for item in events.Scalars("loss/total")] == [
        (row["epoch"], pytest.approx(row["loss"])) for row in rows
    ]
    assert [item.step for item in events.Scalars("validation/map")] == [2]


def test_without_tensorboard_a_line_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    Progress(tmp_path, 2, 8, history=[]).close()
    assert "TensorBoard is not installed" in capsys.readouterr().err
    assert not (tmp_path / "tensorboard").exists()


def test_the_report_is_whole(finished):
    text = (finished / "report.html").read_text()
    opened = []

    class Balance(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag not in ("meta", "img"):
                opened.append(tag)

        def handle_startendtag(self, tag, attrs):
            pass

        def handle_endtag(self, tag):
            assert opened.pop() == tag

    Balance().feed(text)
    assert opened == []
    row = json.loads((finished / "log.jsonl").read_text().splitlines()[1])
    for name in ("map", "rank1", "rank5", "rank10", "minp"):
        assert f"<td>{100 * row[name]:.2f}</td>" in text
    for title in ("loss, total", "loss, cross entropy", "loss, centre", "learning rate", "Who was found"):
        assert title in text
    assert text.count('class="asked"') == 6  # queries
    assert "<td>32</td>" in text
    assert "epochs: 2" in text
    assert "http" not in text.replace("http://www.w3.org", "")


def test_the_bar_shows_parts_and_speed(tmp_path, capsys):
    progress = Progress(tmp_path, 3, 40, history=[], tensorboard=False)
    progress.step(1, 40, {"cross_entropy": 1.25, "triplet": 0.5})
    row = {"epoch": 1, "loss": 1.75, "losses": {"cross_entropy": 1.25}, "lr": 0.1, "images_per_second": 200.0}
    progress.epoch({**row, "map": 0.4321, "rank1": 0.8})
    progress.step(2, 40, {"cross_entropy": 1.0})
    progress.close()
    said = capsys.readouterr().err
    assert "epoch 1/3: loss 1.7500, mAP 43.21, Rank-1 80.00, 200 images/s" in said
    assert "epoch 2/3" in said
    assert "cross_entropy=1, mAP=43.21" in said
    assert "80.0/120" in said


def test_a_disk_that_is_full_for_a_while_ends_nothing(trainer, tmp_path, monkeypatch):
    """Epoch 2 cannot be written; what there was stays; epoch 3 is written again."""
    make = trainer("training.validate_every=1", "training.patience=5")
    end, said = make._end_epoch, []

    def end_epoch(*arguments, **options):
        full = make.state.course.epochs == 2
        with largest_file(50_000) if full else contextlib.nullcontext():
            end(*arguments, **options)
        if full:
            kept = load_checkpoint(tmp_path / "out" / "last.pt")
            assert kept.epoch == 1
            assert not [path for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]

    monkeypatch.setattr(make, "_end_epoch", end_epoch)
    monkeypatch.setattr(Progress, "say", lambda _self, text: said.append(text))
    make.run()
    assert load_checkpoint(tmp_path / "out" / "last.pt").epoch == 3
    (warning,) = {text for text in said if "warning" in text and "last.pt" in text}
    assert "cannot write" in warning
    assert "training goes on" in warning


def test_the_log_is_whole_again_after_a_disk_was_full(tmp_path, capsys):
    row = {"loss": 1.0, "losses": {}, "lr": 0.1, "images_per_second": 1.0}
    progress = Progress(tmp_path, 3, 8, history=[], tensorboard=False)
    progress.epoch({"epoch": 1, **row})
    kept = (tmp_path / "log.jsonl").read_text()
    with largest_file(10):
        progress.epoch({"epoch": 2, **row})
    assert "log.jsonl" in capsys.readouterr().err
    assert (tmp_path / "log.jsonl").read_text() == kept
    progress.epoch({"epoch": 3, **row})
    progress.close()
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3]


def test_events_that_cannot_be_written_end_no_training(tmp_path, capsys, monkeypatch):
    from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415

    def full(*_):
        raise OSError("No space left on device")

    progress = Progress(tmp_path, 3, 8, history=[])
    monkeypatch.setattr(SummaryWriter, "add_scalar", full)
    row = {"epoch": 1, "loss": 1.0, "losses": {}, "lr": 0.1, "images_per_second": 1.0}
    for _ in range(2):
        progress.epoch(row)
    progress.close()
    assert capsys.readouterr().err.count("TensorBoard events cannot be written (No space left") == 1


def test_a_disk_that_stays_full_is_an_error_in_the_end(trainer, tmp_path):
    trainer("training.epochs=1").run()
    resumed = trainer(resume=True)
    with largest_file(50_000), pytest.raises(SinkError, match=r"last.pt could not be written to .*--resume"):
        resumed.run()
    assert load_checkpoint(tmp_path / "out" / "last.pt").epoch == 1


def test_what_could_not_be_written_is_the_newest_when_it_can(checkpoint, tmp_path):
    said = []
    outputs = Outputs(tmp_path, said.append)
    (tmp_path / "last.pt").mkdir()  # nothing can take its place
    outputs.save("last.pt", checkpoint)
    outputs.save("last.pt", checkpoint)
    assert len(said) == 2
    (tmp_path / "last.pt").rmdir()
    outputs.close()
    assert load_checkpoint(tmp_path / "last.pt").classes == 8


def test_a_folder_that_cannot_be_made_is_explained(trainer, tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(SinkError, match=r"cannot (make|write) .*out"):
        trainer().run()
