"""Files of checkpoints: written in one piece, read without executing, and weights that fit or do not."""

import pytest
import torch
from torch import nn

from rtreid_ros.errors import ModelError, SinkError
from rtreid_ros.gan.checkpoint import load_gan
from rtreid_ros.reid.checkpoint import load_checkpoint
from rtreid_ros.reid.checkpoint_file import copied, fitting, read_content, rebuilt, write_content


def test_what_is_written_is_read_by_its_format(tmp_path):
    path = tmp_path / "new" / "folder" / "last.pt"
    write_content({"epoch": 3, "weights": {"a": torch.ones(2)}, "format": "ours-1"}, path)
    content = read_content(path, "ours-1", "rtreid train-this")
    assert (content["epoch"], content["weights"]["a"].tolist()) == (3, [1.0, 1.0])
    assert "format" not in content
    with pytest.raises(ModelError, match=r"last\.pt is no checkpoint of rtreid train-that"):
        read_content(path, "theirs-1", "rtreid train-that")


def test_what_cannot_be_written_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "last.pt"
    write_content({"epoch": 1, "format": "ours-1"}, path)
    monkeypatch.setattr(torch, "save", lambda *_: (_ for _ in ()).throw(RuntimeError("disk is full")))
    with pytest.raises(SinkError, match=r"cannot write .*last\.pt: disk is full"):
        write_content({"epoch": 2, "format": "ours-1"}, path)
    monkeypatch.undo()
    assert read_content(path, "ours-1", "us")["epoch"] == 1
    assert list(tmp_path.iterdir()) == [path]  # nothing half written stays


def test_files_that_are_missing_or_none_of_ours_are_refused(tmp_path):
    path = tmp_path / "last.pt"
    with pytest.raises(ModelError, match=f"no checkpoint {path}"):
        read_content(path, "ours-1", "us")
    for content in (b"", b"text", b"\xff" * 99, path.name.encode() * 99):
        path.write_bytes(content)
        with pytest.raises(ModelError, match="is no checkpoint"):
            read_content(path, "ours-1", "us")


def test_copies_stay_as_they_were_in_the_usual_layout():
    weights = {"conv": torch.rand(2, 3, 4, 4).to(memory_format=torch.channels_last)}
    kept, before = copied(weights), weights["conv"].clone()
    weights["conv"].zero_()
    assert torch.equal(kept["conv"], before)
    assert kept["conv"].is_contiguous()


def test_a_network_is_rebuilt_for_use_and_draws_nothing_from_the_global_generator():
    wanted = nn.Linear(2, 3).state_dict()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    network = rebuilt(lambda: nn.Linear(2, 3), wanted, "linear")
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(network.weight, wanted["weight"])
    assert not network.training
    with pytest.raises(ModelError, match="the weights do not fit linear: "):
        rebuilt(lambda: nn.Linear(2, 4), wanted, "linear")


def test_weights_that_are_no_numbers_are_refused():
    weights = nn.Linear(2, 3).state_dict()
    weights["bias"][1] = float("nan")
    with pytest.raises(ModelError, match="1 weights of linear, bias first, are no finite numbers"):
        rebuilt(lambda: nn.Linear(2, 3), weights, "linear")
    with pytest.raises(ModelError, match="the weights do not fit linear"):
        rebuilt(lambda: nn.Linear(2, 3), ["no", "weights"], "linear")


@pytest.mark.parametrize(
    ("load", "format_"), [(load_checkpoint, "rtreid-reid-1"), (load_gan, "rtreid-gan-1")]
)
@pytest.mark.parametrize(
    "content", [{}, {"size": 3, "counts": [], "preprocessing": {}}, {"size": (8, 4), "counts": (), "more": 1}]
)
def test_a_file_that_does_not_hold_a_checkpoint_is_refused(tmp_path, load, format_, content):
    torch.save({**content, "format": format_}, tmp_path / "last.pt")
    with pytest.raises(ModelError, match=r"last\.pt is damaged, or of another version"):
        load(tmp_path / "last.pt")


@pytest.mark.parametrize("error", [RuntimeError, ValueError, KeyError])
def test_what_does_not_fit_is_said(error):
    said = r"the checkpoint does not fit this optimizer: .*momentum"
    with pytest.raises(ModelError, match=said), fitting("this optimizer"):
        raise error("momentum")


def test_what_fits_goes_through():
    loaded = []
    with fitting("this optimizer"):
        loaded.append("momentum")
    assert loaded == ["momentum"]
