import functools
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch

from rtreid_ros.errors import ModelError
from rtreid_ros.reid.models import create_model
from rtreid_ros.reid.models.weights import LEAST, load_pretrained

NARROW = {"width": 0.125}


@pytest.fixture(scope="module")
def ibn_state():
    """As published: a trunk, a classifier `fc` of 1000 classes, names that begin with `module.`."""
    trunk = create_model("seresnet18_ibn", 0, attention="none", **NARROW).state_dict()
    trunk = {name: value for name, value in trunk.items() if name.startswith(("conv1", "bn1", "layer"))}
    trunk["bn1.num_batches_tracked"] = torch.tensor(77)
    return {f"module.{name}": value for name, value in trunk.items()} | {
        "module.fc.weight": torch.ones(1000, 64)
    }


@pytest.fixture
def ibn_file(ibn_state, tmp_path):
    path = tmp_path / "ibn.pth"
    torch.save(ibn_state, path)
    return str(path)


def test_a_trunk_is_filled_and_what_it_lacks_stays(ibn_state, ibn_file):
    model = create_model("seresnet18_ibn", 5, **NARROW)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    report = load_pretrained(model, ibn_file)
    after = model.state_dict()

    assert all(torch.equal(after[name], ibn_state[f"module.{name}"]) for name in report.loaded)
    assert {"conv1.weight", "layer1.0.bn1.IN.weight", "layer4.0.downsample.1.running_var"} <= set(
        report.loaded
    )
    assert all(torch.equal(after[name], before[name]) for name in report.missing)
    assert {name.rpartition(".")[0] for name in report.missing} == {
        "pool", "neck", "classifier",
        *(f"layer{stage}.{block}.attention.{part}" for stage in (1, 2, 3, 4) for block in (0, 1)
          for part in ("reduce", "expand")),
    }  # fmt: skip
    assert report.unused == ("fc.weight",)
    assert 0.95 < report.share < 1
    assert "not used: fc.weight" in str(report)
    assert "and 16 more" in str(report)
    # counts of batches are those of the training that made the file
    assert model.bn1.num_batches_tracked == 0


def test_a_classifier_of_another_size_is_left_out(tmp_path):
    theirs, ours = create_model("resnet18", 7, **NARROW), create_model("resnet18", 5, **NARROW)
    torch.save({"state_dict": theirs.state_dict()}, tmp_path / "seven.pth")
    report = load_pretrained(ours, str(tmp_path / "seven.pth"))
    assert report.unused == report.missing == ("classifier.weight",)
    assert report.share == 1
    assert torch.equal(ours.neck.weight, theirs.neck.weight)


def test_weights_of_another_architecture_are_refused_and_nothing_is_changed(ibn_file):
    model = create_model("osnet_x0_25", 5)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(ModelError, match=r"another architecture: 0 tensors loaded \(0.0% of the weights\)"):
        load_pretrained(model, ibn_file)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_another_width_is_another_architecture(ibn_file):
    with pytest.raises(ModelError, match="another architecture"):
        load_pretrained(create_model("seresnet18_ibn", 5, width=0.25), ibn_file)


@pytest.mark.parametrize("content", [torch.ones(3), {"state_dict": [1, 2]}, {"epoch": 3}])
def test_a_file_without_weights_is_refused(content, tmp_path):
    torch.save(content, tmp_path / "odd.pth")
    with pytest.raises(ModelError):
        load_pretrained(create_model("resnet18", 5, **NARROW), str(tmp_path / "odd.pth"))


def test_a_missing_or_damaged_file_is_named(tmp_path):
    model = create_model("resnet18", 5, **NARROW)
    with pytest.raises(ModelError, match=r"no weights .*none\.pth"):
        load_pretrained(model, str(tmp_path / "none.pth"))
    (tmp_path / "bad.pth").write_bytes(b"no such thing")
    with pytest.raises(ModelError, match=r"cannot read weights from .*bad\.pth"):
        load_pretrained(model, str(tmp_path / "bad.pth"))
    (tmp_path / "net.onnx").write_bytes(b"")
    with pytest.raises(
        ModelError, match="is an ONNX file, which holds no weights to train: give the checkpoint"
    ):
        load_pretrained(model, str(tmp_path / "net.onnx"))


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    handler = functools.partial(SimpleHTTPRequestHandler, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_an_address_is_fetched_once(ibn_file, server, tmp_path):
    model = create_model("seresnet18_ibn", 5, **NARROW)
    assert load_pretrained(model, f"{server}/ibn.pth").share > 0.95
    (tmp_path / "ibn.pth").unlink()
    assert load_pretrained(model, f"{server}/ibn.pth").share > 0.95  # from the cache
    with pytest.raises(ModelError, match=r"cannot read weights from .*other\.pth.*404"):
        load_pretrained(model, f"{server}/other.pth")


def test_imagenet_stands_for_the_networks_published_address(ibn_file, server, tmp_path):
    model = create_model("seresnet18_ibn", 5, **NARROW)
    model.imagenet = f"{server}/trunk-00000000.pth"
    (tmp_path / "trunk-00000000.pth").write_bytes((tmp_path / "ibn.pth").read_bytes())
    with pytest.raises(ModelError, match="invalid hash value"):  # published files carry theirs in their names
        load_pretrained(model, "imagenet")


def test_imagenet_weights_are_known_for_full_widths_only():
    with torch.device("meta"):
        for name, file in (
            ("seresnet18_ibn", "resnet18_ibn_a-2f571257.pth"),
            ("resnet18", "resnet18-f37072fd.pth"),
            ("agw_resnet50", "resnet50-0676ba61.pth"),
        ):
            assert create_model(name, 5).imagenet.endswith(f"/{file}")
        narrow = create_model("resnet18", 5, **NARROW)
    with pytest.raises(ModelError, match="no ImageNet weights are published"):
        load_pretrained(narrow, "imagenet")


def test_published_osnet_fits_a_network_with_other_identities(shared_data):
    file = shared_data / "weights/reid/osnet_x0_25_msmt17.pth"
    report = load_pretrained(create_model("osnet_x0_25", 5), str(file))
    assert report.share == 1
    assert report.missing == report.unused == ("classifier.weight", "classifier.bias")


def test_a_part_that_a_network_has_twice_is_filled_twice(tmp_path):
    theirs = create_model("osnet_x0_25", 7)
    torch.save(theirs.state_dict(), tmp_path / "osnet.pth")
    model = create_model("plr_osnet_x0_25", 5)
    report = load_pretrained(model, str(tmp_path / "osnet.pth"))
    for own in (model.conv5, model.whole5):
        assert torch.equal(own.conv.weight, theirs.conv5.conv.weight)
    assert report.unused == (
        "fc.0.weight", "fc.0.bias", "fc.1.weight", "fc.1.bias", "fc.1.running_mean", "fc.1.running_var",
        "classifier.weight", "classifier.bias",
    )  # fmt: skip
    assert report.share > LEAST
