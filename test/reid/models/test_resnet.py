import onnxruntime
import pytest
import torch
from torch import nn
from torch.nn import functional

from rtreid_ros.errors import ConfigError
from rtreid_ros.reid.models import MODELS, ReIDOutput, create_model
from rtreid_ros.reid.models.blocks.attention import (
    CoordinateAttention,
    MultiScaleAttention,
    NonLocal,
    SqueezeExcitation,
    TripletAttention,
)
from rtreid_ros.reid.models.blocks.batch_renorm import BatchRenorm1d, BatchRenorm2d, RenormSchedule
from rtreid_ros.reid.models.blocks.ibn import IBN
from rtreid_ros.reid.models.blocks.pooling import AttentionPooling, AveragePooling, GeM, MaxPooling
from rtreid_ros.reid.models.resnet import RESNET
from rtreid_ros.runtime.onnx_export import export_onnx


@pytest.fixture(autouse=True)
def _same_start():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def count(model):
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize(
    ("name", "cameras", "parameters"),
    [
        # trunk + attention + GeM + neck + classifier + cameras
        ("seresnet18_ibn", 6, 11_176_512 + 88_064 + 1 + 1_024 + 384_512 + 3_072),
        ("caresnet18_ibn", 6, 11_826_721),
        ("emaresnet18_ibn", 6, 11_572_161),
        ("taresnet18_ibn", 6, 11_567_521),
        ("resnet18", 0, 11_176_512 + 1_024 + 384_512),
        ("resnet50", 0, 23_508_032 + 4_096 + 2_048 * 751),
        ("resnet50_ibn", 0, 23_508_032 + 4_096 + 2_048 * 751),
        ("resnet50_fc512", 0, 26_992_407 - 1_000 * 2_049),  # without torchvision's own classifier
        ("agw_resnet50", 0, 32_408_641),
    ],
)
def test_parameters_are_those_of_the_architecture(name, cameras, parameters):
    with torch.device("meta"):
        assert count(create_model(name, 751, cameras)) == parameters


def published_names(blocks, convolutions, ibn_stages=0):
    """What the files of torchvision and IBN-Net call a trunk's weights."""

    def norm(name):
        return {f"{name}.{item}" for item in ("weight", "bias", "running_mean", "running_var")}

    names = {"conv1.weight"} | norm("bn1")
    for stage, count in enumerate(blocks, 1):
        for index in range(count):
            block = f"layer{stage}.{index}"
            for item in range(1, convolutions + 1):
                names |= {f"{block}.conv{item}.weight"} | norm(f"{block}.bn{item}")
            if stage <= ibn_stages:
                names -= norm(f"{block}.bn1")
                names |= norm(f"{block}.bn1.BN") | {f"{block}.bn1.IN.weight", f"{block}.bn1.IN.bias"}
            if index == 0 and (stage > 1 or convolutions == 3):
                names |= {f"{block}.downsample.0.weight"} | norm(f"{block}.downsample.1")
    return names


@pytest.mark.parametrize(
    ("name", "options", "published"),
    [
        ("resnet18", {}, published_names((2, 2, 2, 2), 2)),
        ("resnet18", {"depth": 34}, published_names((3, 4, 6, 3), 2)),
        ("resnet50", {}, published_names((3, 4, 6, 3), 3)),
        ("resnet50", {"depth": 101}, published_names((3, 4, 23, 3), 3)),
        ("resnet50", {"depth": 152}, published_names((3, 8, 36, 3), 3)),
        ("resnet50_ibn", {}, published_names((3, 4, 6, 3), 3, 3)),
        ("seresnet18_ibn", {"attention": "none"}, published_names((2, 2, 2, 2), 2, 3)),
    ],
)
def test_the_trunks_weights_are_named_as_in_published_files(name, options, published):
    with torch.device("meta"):
        model = create_model(name, 5, **options)
    own = {item for item in model.state_dict() if item.startswith(("conv1", "bn1", "layer"))}
    assert {item for item in own if not item.endswith("num_batches_tracked")} == published


@pytest.mark.parametrize("name", RESNET)
def test_gives_embedding_neck_and_logits_in_training_and_the_neck_alone_afterwards(name):
    model = create_model(name, 5, 3, width=0.125, **({"dim": 40} if MODELS[name].preset.get("dim") else {}))
    images = torch.randn(4, 3, 64, 32, generator=torch.Generator().manual_seed(0))

    output = model.train()(images)
    assert isinstance(output, ReIDOutput)
    assert output.embedding.shape == output.neck.shape == (4, model.dim)
    assert output.logits.shape == (4, 5)

    alone = model.eval()(images[:1])
    assert alone.shape == (1, model.dim)
    torch.testing.assert_close(alone, model(images)[:1], rtol=1e-4, atol=1e-5)


def test_without_classes_there_is_no_classifier():
    model = create_model("seresnet18_ibn", 0, width=0.125)
    assert count(model.classifier) == 0
    assert model.train()(torch.randn(2, 3, 32, 32)).logits.shape == (2, 0)


@pytest.mark.parametrize("width", [0.25, 0.375, 0.5])
def test_width_scales_all_channels(width):
    model = create_model("seresnet18_ibn", 4, width=width)
    assert model.dim == 512 * width
    assert model.conv1.out_channels == 64 * width
    assert model.layer3[0].conv1.out_channels == 256 * width


def test_a_depth_there_is_not_is_refused():
    with pytest.raises(ConfigError, match=r"depth must be one of 18, 34, 50, 101, 152, got 20"):
        create_model("resnet18", 4, depth=20)


def test_layers_sit_where_the_architecture_has_them():
    model = create_model("seresnet18_ibn", 4, width=0.125)
    for stage, expected in enumerate(("IBN", "IBN", "IBN", "BatchNorm2d"), 1):
        assert {type(block.bn1).__name__ for block in getattr(model, f"layer{stage}")} == {expected}
    assert not any(isinstance(module, nn.Linear) for module in model.fc.modules())


def test_the_last_stride_halves_the_map():
    images = torch.zeros(1, 3, 256, 128)
    for stride, shape in ((1, (16, 8)), (2, (8, 4))):
        model = create_model("resnet18", 4, width=0.125, last_stride=stride)
        assert model.eval().features(images).shape[2:] == shape


SMALL = {"width": 0.125}


@pytest.fixture
def images():
    return torch.randn(4, 3, 64, 32, generator=torch.Generator().manual_seed(0))


def with_statistics(model):
    """In evaluation mode, every parameter and statistic at a value of its own."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, item in model.state_dict().items():
            if item.dim() <= 1 and item.is_floating_point() and "pool" not in name:
                item.uniform_(0.5, 1.5, generator=generator)
    return model.eval()


def slow_trunk(model, images, *, dense=False):
    """The residual networks of He et al. with our differences, written out."""
    x = functional.max_pool2d(model.bn1(model.conv1(images)), 3, 2, 1)
    for stage in (model.layer1, model.layer2, model.layer3, model.layer4):
        for block in stage:
            residual = block.bn2(block.conv2(functional.relu(block.bn1(block.conv1(x)))))
            if block.downsample is not None:
                x = functional.relu(block.attention(residual) + block.downsample(x))
            elif dense:
                inner = functional.relu(residual + x)
                x = functional.relu(block.attention(inner) + x)
            else:
                x = functional.relu(block.attention(residual) + x)
    return x


@pytest.mark.parametrize("dense", [False, True])
def test_blocks_add_the_shortcut_once_or_with_dense_skip_twice(images, dense):
    model = with_statistics(create_model("seresnet18_ibn", 4, dense_skip=dense, **SMALL))
    torch.testing.assert_close(model.features(images), slow_trunk(model, images, dense=dense))
    other = slow_trunk(model, images, dense=not dense)
    assert (model.features(images) - other).abs().max() > 0.1


@pytest.mark.parametrize("relu", [False, True])
def test_the_stem_keeps_negative_values_unless_asked(images, relu):
    model = create_model("resnet18", 4, stem_relu=relu, **SMALL).eval()
    with torch.no_grad():
        model.bn1.bias.fill_(-100)
    seen = []
    model.maxpool.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    model(images)
    assert seen[0].max().item() == (0 if relu else pytest.approx(-100, abs=20))


def test_the_bottleneck_takes_its_stride_in_the_middle():
    block = create_model("resnet50", 4, **SMALL).layer2[0]
    assert [layer.stride[0] for layer in (block.conv1, block.conv2, block.conv3)] == [1, 2, 1]


def test_agw_has_non_local_blocks_after_two_and_three_blocks():
    model = create_model("agw_resnet50", 4, **SMALL)
    places = [name for name, module in model.named_modules() if isinstance(module, NonLocal)]
    expected = ["layer2.2", "layer2.3", "layer3.3", "layer3.4", "layer3.5"]
    assert places == [f"{name}.non_local" for name in expected]


def test_known_cameras_add_their_vector_and_unknown_ones_nothing(images):
    model = with_statistics(create_model("seresnet18_ibn", 4, 3, camera_factor=2.0, **SMALL))
    plain = model(images)
    known = model(images, torch.tensor([0, 2, -1, 3]))
    table = model.side.table
    assert table.shape == (3, model.dim)
    assert table.std().item() == pytest.approx(0.02, rel=0.2)
    torch.testing.assert_close(
        known - plain, 2 * torch.stack((table[0], table[2], 0 * table[0], 0 * table[0]))
    )


def test_cameras_are_ignored_where_there_is_no_table(images):
    model = create_model("seresnet18_ibn", 4, **SMALL).eval()
    assert model.side is None
    assert torch.equal(model(images, torch.tensor([0, 1, 2, 3])), model(images))


def test_the_cameras_vector_counts_in_the_logits_but_not_in_the_embedding(images):
    model = create_model("seresnet18_ibn", 4, 3, **SMALL).train()
    plain, known = model(images), model(images, torch.tensor([0, 1, 2, -1]))
    assert torch.equal(plain.embedding, known.embedding)
    torch.testing.assert_close(known.logits, model.classifier(known.neck))
    assert (plain.neck - known.neck).abs().amax(1).gt(0).tolist() == [True, True, True, False]


def test_a_camera_factor_of_zero_is_refused():
    with pytest.raises(ConfigError, match="camera_factor"):
        create_model("seresnet18_ibn", 4, 3, camera_factor=0.0)


@pytest.mark.parametrize(
    ("pooling", "kind"),
    [("gem", GeM), ("average", AveragePooling), ("max", MaxPooling), ("attention", AttentionPooling)],
)
@pytest.mark.parametrize("size", [(64, 32), (48, 80)])
def test_every_pooling_takes_maps_of_any_size(pooling, kind, size):
    model = create_model("resnet18", 4, pooling=pooling, **SMALL).eval()
    assert isinstance(model.pool, kind)
    assert model(torch.zeros(1, 3, *size)).shape == (1, model.dim)


@pytest.mark.parametrize(
    ("attention", "kind"),
    [
        ("none", nn.Identity),
        ("se", SqueezeExcitation),
        ("coordinate", CoordinateAttention),
        ("coordinate-ibn", CoordinateAttention),
        ("triplet", TripletAttention),
        ("triplet-deviation", TripletAttention),
        ("ema", MultiScaleAttention),
    ],
)
def test_every_block_has_the_attention_asked_for(attention, kind):
    model = create_model("resnet18", 4, attention=attention, **SMALL)
    blocks = [*model.layer1, *model.layer2, *model.layer3, *model.layer4]
    assert {type(block.attention) for block in blocks} == {kind}
    if kind is CoordinateAttention:
        assert isinstance(blocks[0].attention.norm, IBN if attention.endswith("ibn") else nn.BatchNorm2d)
    if kind is TripletAttention:
        assert blocks[0].attention.deviation == attention.endswith("deviation")


def test_batch_renormalisation_takes_the_place_of_batch_norm():
    options = {"renorm_start": 3, "renorm_r_end": 5, "renorm_d_end": 4, "renorm_groups": 2}
    model = create_model("caresnet18_ibn", 4, renorm="all", **options, **SMALL)
    norms = [module for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    assert {type(norm) for norm in norms} == {BatchRenorm1d, BatchRenorm2d}
    assert {(norm.schedule, norm.groups) for norm in norms} == {(RenormSchedule(3, 5, 4), 2)}
    assert isinstance(model.layer1[0].bn1.BN, BatchRenorm2d)
    assert not model.neck.bias.requires_grad

    trunk = create_model("caresnet18_ibn", 4, renorm="trunk", **SMALL)
    assert type(trunk.neck) is nn.BatchNorm1d
    assert trunk.load_state_dict(create_model("caresnet18_ibn", 4, **SMALL).state_dict())


def test_the_neck_has_a_bias_only_where_it_is_free():
    for name, free in (("resnet50", False), ("resnet50_fc512", True)):
        model = create_model(name, 4, **SMALL)
        assert model.neck.bias.requires_grad is free
        assert (model.classifier.bias is not None) is free


def test_dropout_touches_logits_alone(images):
    model = create_model("resnet18", 4, dropout=0.5, **SMALL).train()
    first, second = model(images), model(images)
    assert torch.equal(first.neck, second.neck)
    assert not torch.equal(first.logits, second.logits)
    model.eval()
    assert torch.equal(model(images), model(images))


def test_autocast_leaves_embeddings_in_single_precision(images):
    model = create_model("seresnet18_ibn", 4, 2, **SMALL).train()
    with torch.autocast("cpu", torch.bfloat16):
        output = model(images, torch.tensor([0, 1, 0, -1]))
    assert output.embedding.dtype == output.neck.dtype == torch.float32


def test_a_model_in_half_precision_stays_in_it(images):
    model = with_statistics(create_model("seresnet18_ibn", 4, **SMALL))
    whole = model(images)
    half = model.bfloat16()(images.bfloat16())
    assert half.dtype == torch.bfloat16
    assert functional.cosine_similarity(half.float(), whole).min() > 0.99


def settled(model, images):
    """In evaluation mode, with the statistics of `images` and without weights of zero."""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = 1.0
            if not module.weight.any():
                nn.init.constant_(module.weight, 0.5)
    model.train()(images)
    return model.eval()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        *((f"{prefix}resnet18_ibn", {}) for prefix in ("se", "ca", "ema", "ta")),
        ("agw_resnet50", {}),
        ("resnet50_fc512", {"dim": 40}),
        ("resnet18", {"pooling": "attention"}),
        ("seresnet18_ibn", {"renorm": "all", "attention": "triplet-deviation"}),
    ],
)
def test_exported_networks_take_batches_of_any_size(name, options, images, tmp_path):
    model = settled(create_model(name, 4, 2, **options, **SMALL), images)
    export_onnx(model, images[:2], tmp_path / "model.onnx", {}, output="embedding", batched=True)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    for batch in (images[:1], images):
        (exported,) = session.run(None, {"images": batch.numpy()})
        with torch.no_grad():
            expected = model(batch)
        off = (torch.from_numpy(exported) - expected).norm(dim=1) / expected.norm(dim=1)
        assert off.max() < 1e-3
