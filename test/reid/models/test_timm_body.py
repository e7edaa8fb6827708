import sys
import types

import pytest
import torch
from torch import nn

from rtreid_ros.errors import ConfigError, MissingDependencyError, ModelError
from rtreid_ros.reid.models import create_model
from rtreid_ros.reid.models.weights import load_pretrained


class Body(nn.Module):
    """As timm makes them: without classes it gives what it pooled."""

    head_hidden_size = 6

    def __init__(self, img_size=None):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3)
        self.img_size = img_size

    def forward(self, x):
        return self.conv(x).mean((2, 3))


@pytest.fixture
def stand_in(monkeypatch):
    """A module of timm's interface with two networks; the real one is tested where it is installed."""
    module = types.ModuleType("timm")
    module.calls = []

    def create_model(name, *, pretrained, num_classes, **options):
        module.calls.append((name, pretrained, num_classes, options))
        if name == "broken":
            raise RuntimeError("no such size")
        body = Body(**options)
        if pretrained:
            nn.init.constant_(body.conv.weight, 0.25)
        return body

    module.create_model = create_model
    module.list_models = lambda: ["plain", "fixed", "broken"]
    module.is_model = lambda name: name in module.list_models()
    module.models = types.SimpleNamespace(get_pretrained_cfg_value=lambda name, _key: name == "fixed")
    monkeypatch.setitem(sys.modules, "timm", module)
    return module


def test_the_neck_stands_on_what_the_body_pooled(stand_in):
    model = create_model("timm", 4, body="plain").train()
    images = torch.randn(3, 3, 16, 8)
    output = model(images)
    torch.testing.assert_close(output.embedding, model.body(images))
    torch.testing.assert_close(output.neck, model.neck(output.embedding))
    assert output.logits.shape == (3, 4)
    assert model.eval()(images[:1]).shape == (1, model.dim)
    assert stand_in.calls == [("plain", False, 0, {})]


def test_only_bodies_of_one_size_are_told_the_size(stand_in):
    assert create_model("timm", 0, body="fixed", height=64, width=32).body.img_size == (64, 32)
    assert create_model("timm", 0, body="plain", height=64, width=32).body.img_size is None


def test_imagenet_weights_are_timms(stand_in):
    model = create_model("timm", 4, body="plain")
    report = load_pretrained(model, "imagenet")
    assert (model.body.conv.weight == 0.25).all()
    assert set(report.loaded) == {"body.conv.weight", "body.conv.bias"}


def test_an_unknown_body_is_named_with_the_nearest(stand_in):
    with pytest.raises(ConfigError, match=r"timm has no network 'plan' \(did you mean 'plain'\?\)"):
        create_model("timm", 0, body="plan")


def test_what_timm_cannot_make_is_said(stand_in):
    with pytest.raises(ModelError, match="timm cannot make broken: no such size"):
        create_model("timm", 0, body="broken")


def test_without_timm_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(MissingDependencyError, match=r"rtreid_ros\[timm\]"):
        create_model("timm", 0)


@pytest.mark.parametrize(
    ("body", "dim"),
    [("vit_tiny_patch16_224", 192), ("resnet18", 512), ("mobilenetv4_conv_small", 1280)],
)
def test_real_bodies_learn(body, dim):
    pytest.importorskip("timm")
    torch.manual_seed(0)
    model = create_model("timm", 3, body=body, height=64, width=32).train()
    images, classes = torch.randn(6, 3, 64, 32), torch.arange(3).repeat(2)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    losses = []
    for _ in range(12):
        output = model(images)
        loss = nn.functional.cross_entropy(output.logits, classes)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses[-1] < losses[0] / 2
    assert model.eval()(images).shape == (6, dim) == (6, model.dim)


def test_our_vit_and_swin_equal_timms():
    timm = pytest.importorskip("timm")
    torch.manual_seed(0)
    for name, theirs, options in (
        ("vit_tiny", "vit_tiny_patch16_224", {"height": 224, "width": 224}),
        ("swin_tiny", "swin_tiny_patch4_window7_224", {"window": 7}),
        ("swin_v2_tiny", "swinv2_tiny_window8_256", {}),
    ):
        body = timm.create_model(theirs, num_classes=0).eval()
        ours = create_model(name, 0, **options).eval()
        weights = {key: value for key, value in body.state_dict().items() if key in ours.state_dict()}
        left = ours.load_state_dict(weights, strict=False)
        assert {key.partition(".")[0] for key in left.missing_keys} == {"neck", "classifier"}
        ours.neck = nn.Identity()
        side = 256 if "256" in theirs else 224
        images = torch.randn(2, 3, side, side)
        with torch.no_grad():
            torch.testing.assert_close(ours(images), body(images), atol=1e-5, rtol=1e-4)
