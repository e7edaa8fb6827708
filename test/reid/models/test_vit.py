import pytest
import torch
from torch.nn import functional

from rtreid_ros.errors import ConfigError
from rtreid_ros.reid.models import create_model
from rtreid_ros.reid.models.blocks.ibn import IBN
from rtreid_ros.reid.models.vit import Attention
from rtreid_ros.reid.models.weights import load_pretrained

TINY = {"dim": 32, "depth": 2, "heads": 4, "height": 64, "width": 32, "drop_path": 0.0}


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("name", "published"), [("vit_tiny", 5_524_416), ("vit_small", 21_665_664), ("vit_base", 85_798_656)]
)
def test_parameters_are_those_published_for_224_pixels(name, published):
    # without the head of 1000 classes; ours has its neck on top
    with torch.device("meta"):
        model = create_model(name, 0, height=224, width=224)
        assert sum(parameter.numel() for parameter in model.parameters()) == published + 2 * model.dim
        assert model.imagenet.endswith(".pth")
        assert not create_model(name, 0, patch=32).imagenet


def test_parameters_of_another_vit_for_reid_but_for_its_attention():
    # the one with 6 blocks, patches of 32 and the same stem has heads of 64 at 384 / 16, without biases
    theirs, wide = 25_604_160, 6 * 4 * 384 * 1024
    with torch.device("meta"):
        model = create_model("vit_small_ics", 751, patch=32, depth=6, mlp=2048 / 384, height=448, width=224)
        ours = 6 * (4 * 384 * 384 + 3 * 384)
        assert sum(parameter.numel() for parameter in model.parameters()) - ours == theirs - wide
        assert model.pos_embed.shape == (1, 14 * 7 + 1, 384)


def test_attention_equals_the_formula():
    layer = Attention(12, 3, 0.0)
    x = noise(2, 5, 12)
    query, key, value = layer.qkv(x).chunk(3, 2)
    expected = torch.zeros(2, 5, 12)
    for head in range(3):
        part = slice(4 * head, 4 * head + 4)
        for image in range(2):
            weights = (query[image, :, part] @ key[image, :, part].T / 2).softmax(1)
            expected[image, :, part] = weights @ value[image, :, part]
    torch.testing.assert_close(layer(x), layer.proj(expected))


def test_embedding_is_the_class_token_or_the_mean_of_the_others():
    images = noise(2, 3, 64, 32)
    model = create_model("vit_tiny", 3, **TINY).train()
    seen = []
    model.norm.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    torch.testing.assert_close(model(images).embedding, seen[-1][:, 0])
    model.mean = True
    torch.testing.assert_close(model(images).embedding, seen[-1][:, 1:].mean(1))
    assert create_model("vit_tiny", 3, pooling="mean", **TINY).mean
    assert seen[-1].shape == (2, 1 + 4 * 2, 32)


def test_other_sizes_move_the_positions():
    model = create_model("vit_tiny", 0, **TINY).eval()
    assert model.positions((4, 2)) is model.pos_embed
    table = torch.zeros(1, 9, 32)
    table[0, 0] = 7  # of the class token
    table[0, 1:] = torch.arange(4.0).repeat_interleave(2)[:, None]  # grows from row to row
    model.pos_embed.data = table
    moved = model.positions((8, 3))
    assert moved.shape == (1, 1 + 24, 32)
    assert (moved[0, 0] == 7).all()
    rows = moved[0, 1:, 0].unflatten(0, (8, 3))
    torch.testing.assert_close(rows[:, 0], rows[:, 2])
    assert (rows[1:, 0] > rows[:-1, 0]).all()
    torch.testing.assert_close(rows[3:5, 0].mean(), torch.tensor(1.5))  # the middle stays the middle
    assert model(noise(1, 3, 128, 48)).shape == (1, 32)


@pytest.mark.parametrize(
    ("stem", "stride", "grid"), [("patch", 0, (16, 8)), ("patch", 12, (21, 10)), ("conv", 12, (21, 10))]
)
def test_patches_may_overlap(stem, stride, grid):
    model = create_model("vit_tiny", 0, dim=12, heads=1, depth=1, stem=stem, stride=stride)
    assert model.patch_embed(noise(1, 3, 256, 128)).shape[2:] == model.grid == grid


def test_the_stem_of_convolutions_takes_style_out():
    model = create_model("vit_small_ics", 0, **{**TINY, "heads": 4})
    assert sum(isinstance(module, IBN) for module in model.patch_embed.stem) == 2
    assert model.patch_embed.proj.kernel_size == (8, 8)


def test_cameras_are_added_to_all_tokens():
    model = create_model("vit_tiny", 0, cameras=3, camera_factor=2.0, **TINY).eval()
    seen = []
    model.drop.register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[0]))
    images = noise(3, 3, 64, 32)
    plain = model(images)
    known = model(images, torch.tensor([0, 2, -1]))
    torch.testing.assert_close(seen[1][0] - seen[0][0], 2 * model.side.table[0].expand(9, -1))
    torch.testing.assert_close(seen[1][1] - seen[0][1], 2 * model.side.table[2].expand(9, -1))
    torch.testing.assert_close(known[2], plain[2])  # an unknown camera
    assert not torch.allclose(known[0], plain[0])


def test_square_weights_of_deit_fit_an_upright_network(tmp_path):
    square = create_model("vit_tiny", 0, **{**TINY, "width": 64})
    torch.save({"model": square.state_dict()}, tmp_path / "deit.pth")
    upright = create_model("vit_tiny", 5, **TINY)
    report = load_pretrained(upright, str(tmp_path / "deit.pth"))
    assert report.share == 1
    assert report.missing == ("classifier.weight",)
    expected = square.positions((4, 2))
    torch.testing.assert_close(upright.pos_embed, expected)
    same = {"pos_embed": noise(1, 9, 32)}
    assert upright.adapt(same)["pos_embed"] is same["pos_embed"]
    odd = {"pos_embed": noise(1, 12, 32)}  # 11 patches are no square
    assert upright.adapt(odd) is odd


def test_later_blocks_drop_more():
    model = create_model("vit_tiny", 0, **{**TINY, "depth": 3, "drop_path": 0.4})
    torch.testing.assert_close(
        torch.tensor([block.drop_path.share for block in model.blocks]), torch.tensor([0.0, 0.2, 0.4])
    )


def test_dropout_is_off_in_evaluation():
    model = create_model("vit_tiny", 2, dropout=0.5, **TINY)
    images = noise(2, 3, 64, 32)
    assert not torch.equal(model.train()(images).embedding, model(images).embedding)
    torch.testing.assert_close(model.eval()(images), model(images))


def test_half_the_precision_is_near():
    model = create_model("vit_tiny", 0, **TINY).eval()
    images = noise(2, 3, 64, 32)
    with torch.autocast("cpu", torch.bfloat16):
        half = model(images)
    assert functional.cosine_similarity(half.float(), model(images)).min() > 0.999


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"heads": 5}, "heads must divide dim 32, got 5"),
        ({"stem": "conv", "patch": 15}, "must be even"),
        ({"stem": "conv", "stride": 7}, "must be even"),
    ],
)
def test_what_does_not_fit_together_is_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        create_model("vit_tiny", 0, **{**TINY, **options})
