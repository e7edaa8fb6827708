import torch

from rtreid_ros.reid.models.blocks.window_attention import join, may_ask, partition


def test_windows_are_cut_and_joined():
    x = torch.arange(2 * 4 * 6 * 1).view(2, 4, 6, 1)
    windows = partition(x, (2, 3))
    assert windows.shape == (8, 6, 1)
    assert windows[1, :, 0].tolist() == [3, 4, 5, 9, 10, 11]
    assert windows[4, 0, 0] == 24
    assert torch.equal(join(windows, (2, 3), (4, 6)), x)


def test_no_mask_without_shift_and_filling():
    cpu = torch.device("cpu")
    assert may_ask((8, 4), (8, 4), (4, 4), (0, 0), cpu) is None
    # a row of four tokens in windows of two, moved by one: the last window holds tokens 3 and 0
    assert may_ask((1, 4), (1, 4), (1, 2), (0, 1), cpu).tolist() == [
        [[True, True], [True, True]],
        [[True, False], [False, True]],
    ]
    # three tokens filled up to four
    assert may_ask((1, 3), (1, 4), (1, 2), (0, 0), cpu)[1].tolist() == [[True, False], [False, True]]
