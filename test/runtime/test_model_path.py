"""Which file a model's name means."""

import pytest

from rtreid_ros.errors import ModelError
from rtreid_ros.runtime.session import BUILTINS, model_path

NAME = "reid_synthetic.onnx"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_an_empty_name_is_the_built_in_model_of_the_stage():
    assert model_path("", NAME) == BUILTINS / NAME


def test_the_file_name_of_a_built_in_model_is_enough():
    assert model_path(NAME, "person_synthetic.onnx") == BUILTINS / NAME


def test_a_file_of_that_name_where_one_works_goes_first(tmp_path):
    (tmp_path / NAME).write_bytes(b"mine")
    assert model_path(NAME, "person_synthetic.onnx").resolve() == tmp_path / NAME


def test_a_path_means_what_it_says(tmp_path):
    with pytest.raises(ModelError, match="does not exist"):
        model_path(str(tmp_path / NAME), NAME)


def test_the_built_in_models_are_listed_where_a_file_is_missing():
    with pytest.raises(ModelError, match=r"nowhere\.onnx' does not exist.*person_synthetic\.onnx"):
        model_path("nowhere.onnx", NAME)


def test_a_missing_built_in_model_is_explained():
    with pytest.raises(ModelError, match="reinstall"):
        model_path("", "gone.onnx")
