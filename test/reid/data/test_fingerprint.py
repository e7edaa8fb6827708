"""Pictures that a checkpoint has learnt from are known again, others are not."""

from dataclasses import replace

import pytest
from support.people import write_people

from rtreid_ros.datasets.identities import open_identities
from rtreid_ros.errors import ModelError
from rtreid_ros.reid.data.fingerprint import check_same_pictures, fingerprint
from rtreid_ros.reid.data.resident import ResidentImages


def load(root, size=(32, 16), split="all"):
    return ResidentImages.load(open_identities("market1501", str(root), split).train, size, progress=False)


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    return write_people(tmp_path_factory.mktemp("people"))


def test_the_same_pictures_elsewhere_and_at_another_size_are_the_same(people, tmp_path):
    saved = fingerprint(load(people))
    moved = tmp_path / "moved"
    moved.symlink_to(people)
    check_same_pictures(saved, fingerprint(load(moved, (64, 32))))
    check_same_pictures(None, saved)  # older checkpoints do not say


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda images: load_part(images, 40), r"44 there, 40 here"),
        (lambda images: replace(images, identities=images.identities[::-1]), "other names, identities"),
        (lambda images: replace(images, images=255 - images.images), "other content"),
    ],
    ids=["number", "identities", "content"],
)
def test_others_are_refused_and_it_is_said_what_differs(people, change, message):
    images = load(people)
    with pytest.raises(ModelError, match=message):
        check_same_pictures(fingerprint(images), fingerprint(change(images)))


def load_part(images, count):
    return ResidentImages.load(images.as_set()[:count], (32, 16), progress=False)


def test_pictures_behind_the_first_ones_do_not_count(people):
    images = load(people)
    check_same_pictures(fingerprint(load_part(images, 40)), fingerprint(images, 40))
