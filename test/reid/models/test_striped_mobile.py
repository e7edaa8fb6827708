import torch

from rtreid_ros.reid.models import create_model
from rtreid_ros.reid.models.blocks.mobile import MobileBlock


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_as_small_as_its_tables_say():
    def block(channels, kernel):
        inner = 2 * channels
        return 2 * channels * inner + kernel**2 * inner + 2 * (inner + inner + channels)

    strided = sum(9 * inside * outside + 2 * outside for inside, outside in ((3, 24), (24, 32), (32, 64)))
    strided += 9 * 64 * 128 + 2 * 128
    blocks = 2 * block(32, 3) + 3 * block(64, 5) + 2 * block(128, 5)
    head = 4 * 128 * 128 + 2 * 128
    model = create_model("striped_mobile", 10)
    assert sum(item.numel() for item in model.parameters()) == strided + blocks + head + 10 * 128


def test_the_embedding_is_a_projection_of_the_means_of_stripes():
    model = create_model("striped_mobile", 5, dim=16).train()
    images = noise(3, 3, 128, 64)
    with torch.no_grad():
        maps = model.features(images)
        output = model(images)
    assert maps.shape == (3, 128, 8, 4)
    # of two rows each
    stripes = [maps[:, :, row : row + 2].mean((2, 3)) for row in (0, 2, 4, 6)]
    means = torch.stack(stripes, 2).flatten(1)
    torch.testing.assert_close(output.embedding, means @ model.project.weight.T)
    torch.testing.assert_close(output.neck.mean(0), torch.zeros(16), atol=1e-5, rtol=0)
    torch.testing.assert_close(output.logits, output.neck @ model.classifier.weight.T)


def test_retrieval_compares_what_is_behind_the_neck():
    model = create_model("striped_mobile", 0, dim=16).eval()
    images = noise(2, 3, 128, 64)
    with torch.no_grad():
        model.neck.running_mean.uniform_(generator=torch.Generator().manual_seed(1))
        maps = model.features(images)
        stripes = maps.unflatten(2, (4, 2)).mean((3, 4)).flatten(1)
        expected = (stripes @ model.project.weight.T - model.neck.running_mean) / (1 + 1e-5) ** 0.5
        torch.testing.assert_close(model(images), expected)


def test_width_stripes_and_dim_are_as_chosen():
    model = create_model("striped_mobile", 3, width=0.5, stripes=2, dim=24)
    assert model.features(noise(1, 3, 64, 32)).shape == (1, 64, 4, 2)
    assert model.project.weight.shape == (24, 2 * 64)
    assert model.dim == 24
    assert model.branches == (24,)


def test_a_block_adds_what_it_computes_to_its_input():
    block = MobileBlock(4, 3, expansion=3).eval()
    x = noise(2, 4, 6, 5)
    with torch.no_grad():
        widen, filter_, narrow = block.body
        torch.testing.assert_close(block(x), x + narrow(filter_(widen(x))))
        assert (filter_(widen(x)) >= 0).all()
        assert (narrow(filter_(widen(x))) < 0).any()  # linear: no ReLU
    assert filter_[0].groups == filter_[0].in_channels == 12
