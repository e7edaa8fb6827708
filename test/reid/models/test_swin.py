import math
import re

import pytest
import torch
from torch.nn import functional

from rtreid_ros.errors import ConfigError
from rtreid_ros.reid.models import create_model
from rtreid_ros.reid.models.swin import PatchMerging, SwinBlock, SwinOptions
from rtreid_ros.reid.models.weights import load_pretrained

TINY = {"dim": 16, "depth": 2, "head": 8, "window": 4, "drop_path": 0.0}


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("name", "window", "published"),
    [("swin_tiny", 7, 27_519_354), ("swin_small", 7, 48_837_258), ("swin_v2_tiny", 8, 27_578_154)],
)
def test_parameters_are_those_published(name, window, published):
    # without the head of 1000 classes; ours has its neck on top
    with torch.device("meta"):
        model = create_model(name, 0, window=window)
    assert model.dim == 768
    assert sum(parameter.numel() for parameter in model.parameters()) == published + 2 * 768


def slow_attention(block, x):
    """Of one map ``(H, W, D)``, token by token, from the definition of shifted windows."""
    attention, (height, width, dim) = block.attn, x.shape
    window, heads = attention.window, attention.heads
    bias = (0, 0, 0) if not hasattr(attention, "q_bias") else (attention.q_bias, 0, attention.v_bias)
    parts = attention.qkv(x).chunk(3, 2)
    query, key, value = (
        (part + more).unflatten(2, (heads, -1)) for part, more in zip(parts, bias, strict=True)
    )

    def group(place, side):
        shift = window // 2 if block.shifted and side > window else 0
        return (place - shift) // window

    answer = torch.zeros(height, width, heads, dim // heads)
    tokens = [(y, x) for y in range(height) for x in range(width)]
    for one in tokens:
        others = [
            other
            for other in tokens
            if group(one[0], height) == group(other[0], height)
            and group(one[1], width) == group(other[1], width)
        ]
        for head in range(heads):
            scores = torch.stack(
                [
                    likeness(attention, head, query[one][head], key[other][head], one, other)
                    for other in others
                ]
            )
            mixed = scores.softmax(0)[:, None] * torch.stack([value[other][head] for other in others])
            answer[one][head] = mixed.sum(0)
    return attention.proj(answer.flatten(2))


def likeness(attention, head, query, key, one, other):
    row, column = one[0] - other[0], one[1] - other[1]
    span = attention.window - 1
    if not hasattr(attention, "cpb_mlp"):
        table = attention.relative_position_bias_table[:, head].unflatten(0, (2 * span + 1, 2 * span + 1))
        return query @ key / math.sqrt(len(query)) + table[row + span, column + span]
    place = torch.tensor(
        [math.copysign(math.log2(1 + abs(8 * step / span)) / 3, step) for step in (row, column)]
    )
    bias = 16 * torch.sigmoid(attention.cpb_mlp(place)[head])
    scale = min(attention.logit_scale[head].exp().item(), 100)
    return functional.cosine_similarity(query, key, dim=0) * scale + bias


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("shifted", [False, True])
@pytest.mark.parametrize(
    ("window", "size"), [(2, (4, 4)), (4, (6, 5)), (3, (2, 7)), (3, (2, 1)), (3, (3, 3)), (3, (3, 6))]
)
@torch.no_grad()
def test_attention_equals_a_slow_reference(version, shifted, window, size):
    torch.manual_seed(0)
    options = SwinOptions(version=version, dim=8, head=4, window=window)
    block = SwinBlock(8, options, 0.0, shifted=shifted)
    for parameter in block.attn.parameters():
        parameter.add_(torch.randn_like(parameter) * 0.3)
    x = noise(2, *size, 8)
    for image, answer in zip(x, block.attend(x), strict=True):
        torch.testing.assert_close(answer, slow_attention(block, image), atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_v1_normalises_before_and_v2_after():
    x = noise(1, 4, 4, 8)
    first, second = (
        SwinBlock(8, SwinOptions(version=version, dim=8, head=4, window=4), 0.0, shifted=False)
        for version in (1, 2)
    )
    y = x + first.attend(first.norm1(x))
    torch.testing.assert_close(first(x), y + first.mlp(first.norm2(y)))
    y = x + second.norm1(second.attend(x))
    torch.testing.assert_close(second(x), y + second.norm2(second.mlp(y)))


def test_a_factor_of_v2_stays_below_a_hundred():
    block = SwinBlock(8, SwinOptions(version=2, dim=8, head=4, window=4), 0.0, shifted=False).eval()
    x = noise(1, 4, 4, 8)
    with torch.no_grad():
        block.attn.logit_scale.fill_(math.log(100))
        bound = block.attend(x)
        block.attn.logit_scale.fill_(9.0)
        torch.testing.assert_close(block.attend(x), bound)


@torch.no_grad()
def test_merging_puts_four_neighbours_side_by_side():
    layer = PatchMerging(2, 1)
    layer.norm = torch.nn.Identity()
    layer.reduction = torch.nn.Identity()
    x = noise(1, 4, 3, 2)
    merged = layer(x)
    assert merged.shape == (1, 2, 2, 8)
    # column by column, as the published weights expect
    torch.testing.assert_close(merged[0, 1, 0], torch.cat((x[0, 2, 0], x[0, 3, 0], x[0, 2, 1], x[0, 3, 1])))
    assert (merged[0, :, 1, 4:] == 0).all()  # an odd side is filled up


@pytest.mark.parametrize("name", ["swin_tiny", "swin_v2_tiny"])
def test_embedding_is_the_mean_of_the_last_map(name):
    model = create_model(name, 3, **TINY).train()
    maps = []
    model.norm.register_forward_hook(lambda _module, _inputs, output: maps.append(output))
    output = model(noise(2, 3, 96, 64))
    assert maps[0].shape == (2, 3, 2, 128)
    torch.testing.assert_close(output.embedding, maps[0].flatten(1, 2).mean(1))
    assert (output.embedding < 0).any()  # nothing is cut off


def test_cameras_are_added_to_all_tokens():
    model = create_model("swin_tiny", 0, cameras=3, camera_factor=2.0, **TINY).eval()
    seen = []
    model.layers.register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[0]))
    images = noise(2, 3, 32, 32)
    plain, known = model(images), model(images, torch.tensor([1, 9]))
    torch.testing.assert_close(seen[1][0] - seen[0][0], 2 * model.side.table[1].expand(8, 8, -1))
    torch.testing.assert_close(known[1], plain[1])  # a camera that training did not know
    assert not torch.allclose(known[0], plain[0])


def test_biases_of_another_window_are_moved_and_the_authors_names_understood(tmp_path):
    theirs = create_model("swin_tiny", 0, **{**TINY, "window": 3})
    published = {  # there a merging layer ends the stage before
        re.sub(
            r"layers\.(\d)\.downsample", lambda found: f"layers.{int(found[1]) - 1}.downsample", name
        ): value
        for name, value in theirs.state_dict().items()
    }
    assert "layers.0.downsample.norm.weight" in published
    torch.save({"model": published}, tmp_path / "swin.pth")
    ours = create_model("swin_tiny", 5, **TINY)
    report = load_pretrained(ours, str(tmp_path / "swin.pth"))
    assert report.share == 1
    assert report.missing == ("classifier.weight",)
    before = theirs.layers[0].blocks[1].attn.relative_position_bias_table.unflatten(0, (5, 5))
    after = ours.layers[0].blocks[1].attn.relative_position_bias_table.unflatten(0, (7, 7))
    torch.testing.assert_close(after[3, 3], before[2, 2])  # of a token to itself
    assert torch.equal(ours.layers[2].downsample.norm.weight, theirs.layers[2].downsample.norm.weight)


def test_imagenet_weights_are_known_for_published_sizes_only():
    with torch.device("meta"):
        assert create_model("swin_small", 0).imagenet.endswith("/swin_small_patch4_window7_224.pth")
        for name, options in (("swin_v2_tiny", {}), ("swin_tiny", {"dim": 64}), ("swin_tiny", {"depth": 4})):
            assert not create_model(name, 0, **options).imagenet


def test_a_head_that_does_not_divide_is_refused():
    with pytest.raises(ConfigError, match="head must divide dim 16, got 5"):
        create_model("swin_tiny", 0, **{**TINY, "head": 5})
