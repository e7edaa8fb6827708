"""Pictures from a generator: the same for the same seed, and of the group asked for."""

import csv
import tarfile

import cv2
import numpy as np
import pytest
import torch

from rtreid_ros.errors import ConfigError, ModelError, SinkError
from rtreid_ros.gan.checkpoint import GanCheckpoint, load_gan, save_gan
from rtreid_ros.gan.generation import generate_files
from rtreid_ros.gan.grid import tile, write_picture
from rtreid_ros.gan.networks import create_generator
from rtreid_ros.gan.sampling import draw_groups, from_bytes, generate, latents, to_bytes
from rtreid_ros.gan.training.judging import sample_sheet
from rtreid_ros.gan.writing import PictureWriter


def checkpoint(counts=()):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = create_generator("residual", (16, 8), len(counts), channels=4, latent=6)
        for name, weight in network.named_parameters():
            if "shift" in name:
                torch.nn.init.normal_(weight)
    grouped = "appearance" if counts else "none"
    return GanCheckpoint(
        "residual", {"channels": 4, "latent": 6}, (16, 8), grouped, counts, network.state_dict()
    )


def files(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def rows(folder):
    with (folder / "index.csv").open() as file:
        return list(csv.DictReader(file))


def make(model, output, numbers, **options):
    generate_files(model, output, numbers, progress=False, **options)
    return output


def test_a_picture_is_the_same_whichever_others_are_made(tmp_path):
    model = checkpoint()
    many = files(make(model, tmp_path / "many", range(70), seed=3))
    few = files(make(model, tmp_path / "few", range(5), seed=3))
    late = files(make(model, tmp_path / "late", range(37, 41), seed=3))
    assert len(many) == 71
    for name in set(few) | set(late):
        if name != "index.csv":
            assert {**few, **late}[name] == many[name], name
    other = files(make(model, tmp_path / "other", range(5), seed=4))
    assert other["generated_000000.jpg"] != few["generated_000000.jpg"]


def test_a_tar_file_holds_the_same_and_is_the_same_every_time(tmp_path):
    model = checkpoint()
    folder = files(make(model, tmp_path / "folder", range(3), kind="png"))
    archives = [make(model, tmp_path / name, range(3), kind="png") for name in ("a.tar", "b.tar")]
    assert archives[0].read_bytes() == archives[1].read_bytes()
    with tarfile.open(archives[0]) as archive:
        assert {item.name: archive.extractfile(item).read() for item in archive} == folder


def test_files_hold_the_pixels_upright_in_their_colours(tmp_path):
    model = checkpoint()
    make(model, tmp_path / "out", range(2), kind="png")
    network = model.create_generator()
    made = generate(network, latents(0, range(32), 6), None)[:2]
    for number in range(2):
        read = cv2.imread(str(tmp_path / "out" / f"generated_{number:06d}.png"))
        assert read.shape == (16, 8, 3)
        assert np.array_equal(read[:, :, ::-1], made[number].permute(1, 2, 0).numpy())


def test_the_index_says_what_each_picture_is(tmp_path):
    make(checkpoint((30, 10)), tmp_path / "out", range(2, 42), seed=5)
    found = rows(tmp_path / "out")
    assert [row["file"] for row in found] == [f"generated_{number:06d}.jpg" for number in range(2, 42)]
    assert {row["seed"] for row in found} == {"5"}
    groups = [int(row["group"]) for row in found]
    assert groups == draw_groups(5, range(2, 42), (30, 10)).tolist()
    make(checkpoint(), tmp_path / "none", range(1))
    assert rows(tmp_path / "none")[0]["group"] == ""


def test_groups_are_as_frequent_as_in_training():
    found = draw_groups(0, range(4000), (600, 0, 200, 200))
    np.testing.assert_allclose(np.bincount(found, minlength=4) / 4000, [0.6, 0, 0.2, 0.2], atol=0.03)


def test_a_group_can_be_asked_for_and_changes_the_pictures(tmp_path):
    model = checkpoint((3, 3))
    one, other = (make(model, tmp_path / str(group), range(3), group=group) for group in (0, 1))
    assert {row["group"] for row in rows(one)} == {"0"}
    assert {row["group"] for row in rows(other)} == {"1"}
    assert files(one)["generated_000001.jpg"] != files(other)["generated_000001.jpg"]


@pytest.mark.parametrize(
    ("counts", "group", "message"),
    [
        ((), 0, "group 0: this generator was trained without groups"),
        ((1, 2), 2, "group 2: this generator knows the groups 0 to 1"),
        ((1, 2), -1, "group -1: this generator knows the groups 0 to 1"),
    ],
)
def test_an_unknown_group_is_refused(tmp_path, counts, group, message):
    with pytest.raises(ConfigError, match=message):
        make(checkpoint(counts), tmp_path / "out", range(2), group=group)
    assert not (tmp_path / "out").exists()


def test_noise_is_standard_normal_and_of_each_picture_alone():
    found = latents(0, range(2000), 8)
    assert abs(found.mean()) < 0.02
    assert abs(found.std() - 1) < 0.02
    assert np.array_equal(latents(0, [7, 3], 8), found[[7, 3]])
    assert not np.array_equal(latents(1, [7], 8), found[[7]])


def test_levels_go_from_minus_one_to_one_and_back():
    levels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_bytes(from_bytes(levels)), levels)
    assert (from_bytes(levels).min(), from_bytes(levels).max()) == (-1, 1)
    assert to_bytes(torch.tensor([-1.5, 1.5])).tolist() == [0, 255]


def test_what_is_there_is_not_overwritten(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    (tmp_path / "old.tar").write_text("mine")
    for name in ("full", "old.tar"):
        with pytest.raises(ConfigError, match="exists already: remove it, or choose another --output"):
            make(checkpoint(), tmp_path / name, range(1))
    assert (tmp_path / "old.tar").read_text() == "mine"


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="cannot make"):
        PictureWriter(tmp_path / "file" / "below", "jpg")
    with pytest.raises(SinkError, match="cannot write"):
        write_picture(np.zeros((2, 2, 3), np.uint8), tmp_path / "file" / "below.png")
    with pytest.raises(ConfigError, match=r"grid.nothing: a picture's name must end in one of .png"):
        write_picture(np.zeros((2, 2, 3), np.uint8), tmp_path / "grid.nothing")


def test_the_index_is_of_what_was_written_when_something_went_wrong(tmp_path):
    def add(image, writer):
        with writer:
            writer.add(image, 1, 2, None)
            writer.add(None, 1, 3, None)

    with pytest.raises(AttributeError):
        add(torch.zeros(3, 4, 2, dtype=torch.uint8), PictureWriter(tmp_path / "out", "jpg"))
    assert [row["number"] for row in rows(tmp_path / "out")] == ["2"]


def test_tiles_stand_row_by_row():
    images = torch.stack([torch.full((3, 4, 2), value, dtype=torch.uint8) for value in (10, 20, 30)])
    images[0, 0] = 200  # red
    sheet = tile(images, 2)
    assert sheet.shape == (4 * 2 + 2, 2 * 2 + 2, 3)
    assert sheet[0, 0].tolist() == [10, 10, 200]  # BGR
    assert sheet[0, 4, 0] == 20
    assert sheet[6, 0, 0] == 30
    assert sheet[6, 4].tolist() == [255, 255, 255]


def test_a_sheet_has_a_row_for_each_group_of_the_same_noise():
    network = checkpoint((1, 1, 1)).create_generator()
    sheet = sample_sheet(network, 3, 0, torch.device("cpu"))
    assert sheet.shape == (3 * 18 - 2, 12 * 10 - 2, 3)
    again = tile(generate(network, latents(0, range(12), 6), np.full(12, 2)), 12)
    assert np.abs(sheet[36:].astype(int) - again).max() <= 1


def test_checkpoints_come_back_as_they_were(tmp_path):
    model = checkpoint((4, 2))
    save_gan(model, tmp_path / "a.pt")
    found = load_gan(tmp_path / "a.pt")
    assert (found.size, found.counts, found.options) == ((16, 8), (4, 2), model.options)
    assert all(torch.equal(found.weights[name], value) for name, value in model.weights.items())


def test_files_of_something_else_are_refused(tmp_path):
    torch.save({"format": "rtreid-reid-1"}, tmp_path / "reid.pt")
    with pytest.raises(ModelError, match=r"reid.pt is no checkpoint of rtreid train-gan"):
        load_gan(tmp_path / "reid.pt")
    with pytest.raises(ModelError, match="no checkpoint"):
        load_gan(tmp_path / "none.pt")
    model = checkpoint()
    model.weights.pop("out.bias")
    with pytest.raises(ModelError, match="the weights do not fit residual"):
        model.create_generator()
