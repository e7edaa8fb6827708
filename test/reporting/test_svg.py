"""Drawing."""

import pytest

from rtreid_ros.reporting.svg import Axis, Plot, element, label, ticks


@pytest.mark.parametrize(
    ("low", "high", "about", "expected"),
    [
        (0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, 525, 10, [0, 100, 200, 300, 400, 500]),
        (-0.3, 1, 4, [0, 0.5, 1]),
        (61.2, 64.1, 5, [62, 63, 64]),
        (3, 3, 5, [3]),
    ],
)
def test_ticks_are_round_and_inside(low, high, about, expected):
    assert ticks(low, high, about) == expected


def test_text_and_attributes_are_escaped():
    assert "<b>" not in label(0, 0, "<b>&")
    assert element("g", class_='"><script>') == '<g class="&quot;&gt;&lt;script&gt;"/>'


def test_values_lie_where_the_axes_say():
    plot = Plot(Axis(0, 10), Axis(0, 1), "t", width=120, height=110, left=10, right=10, top=5, bottom=5)
    assert plot.place(0, 0) == (10, 105)
    assert plot.place(10, 1) == (110, 5)
    assert plot.place(5, 0.5) == (60, 55)


def test_a_logarithmic_axis_gives_decades_equal_room():
    axis = Axis(0.1, 100, log=True)
    assert [axis.share(value) for value in (0.1, 1, 10, 100)] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert axis.ticks() == pytest.approx([0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100])
