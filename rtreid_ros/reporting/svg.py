"""Scalable vector graphics, as far as charts need them.

Colours are CSS classes, so that the page's light or dark scheme decides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

Point = tuple[float, float]

SERIES = 8
"""Classes ``s0`` to ``s7`` colour series; further ones begin again."""


def element(name: str, content: str = "", **attributes: object) -> str:
    """An element; `content` is markup already, attribute values are escaped.

    A trailing underscore of an attribute is dropped (``class_``), others become hyphens.
    """
    words = [name]
    for key, value in attributes.items():
        shown = number(value) if isinstance(value, float) else str(value)
        words.append(f'{key.rstrip("_").replace("_", "-")}="{escape(shown)}"')
    return f"<{' '.join(words)}>{content}</{name}>" if content else f"<{' '.join(words)}/>"


def number(value: float) -> str:
    """At most two decimals, no trailing zeros."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def label(x: float, y: float, text: str, **attributes: object) -> str:
    """Text at a place."""
    return element("text", escape(text), x=float(x), y=float(y), **attributes)


def tooltip(text: str) -> str:
    """What a browser shows while the pointer rests on the element that holds this."""
    return element("title", escape(text)) if text else ""


def picture(width: float, height: float, parts: Iterable[str], title: str) -> str:
    """A whole drawing that shrinks with the page."""
    return element(
        "svg",
        "".join(parts),
        viewBox=f"0 0 {number(width)} {number(height)}",
        style=f"max-width:{number(width)}px",
        role="img",
        aria_label=title,
    )


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers from `low` to `high`, roughly `about` of them."""
    if not high > low:
        return [low]
    rough = (high - low) / max(about, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


@dataclass(frozen=True, slots=True)
class Axis:
    """Values along one side of a plot; `log`: a decade has the same length everywhere."""

    low: float
    high: float
    label: str = ""
    show: Callable[[float], str] = "{:g}".format
    log: bool = False
    about: int = 5

    def share(self, value: float) -> float:
        """0 at the low end, 1 at the high end."""
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log10(low), math.log10(high), math.log10(value)
        return (value - low) / (high - low) if high > low else 0.5

    def ticks(self) -> list[float]:
        """Where to put figures."""
        if not self.log:
            return ticks(self.low, self.high, self.about)
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        decades = math.log10(self.high / self.low)
        factors = (1, 2, 5) if decades <= 3 else (1,)
        values = [factor * 10.0**power for power in powers for factor in factors]
        return [value for value in values if self.low * 0.999 <= value <= self.high * 1.001]


@dataclass(slots=True)
class Plot:
    """A pair of axes to draw on; `left` and `bottom` are the margins with figures, in pixels."""

    x: Axis
    y: Axis
    title: str
    width: float = 420
    height: float = 260
    left: float = 46
    right: float = 12
    top: float = 24
    bottom: float = 38
    parts: list[str] = field(default_factory=list)

    def place(self, x: float, y: float) -> Point:
        """Pixels of a value."""
        across, up = self.width - self.left - self.right, self.height - self.top - self.bottom
        return self.left + self.x.share(x) * across, self.height - self.bottom - self.y.share(y) * up

    def line(self, points: Sequence[Point], class_: str, title: str = "") -> None:
        """Straight from point to point."""
        if points:
            path = " ".join(",".join(number(v) for v in self.place(*point)) for point in points)
            self.parts.append(element("polyline", tooltip(title), points=path, class_=f"line {class_}"))

    def dot(self, x: float, y: float, class_: str, title: str = "", radius: float = 3.0) -> None:
        """A round mark."""
        cx, cy = self.place(x, y)
        self.parts.append(element("circle", tooltip(title), cx=cx, cy=cy, r=radius, class_=f"mark {class_}"))

    def box(self, x: Point, y: Point, class_: str, title: str = "") -> None:
        """A filled rectangle between two values on each axis."""
        x1, y1 = self.place(x[0], y[1])
        x2, y2 = self.place(x[1], y[0])
        self.parts.append(
            element(
                "rect", tooltip(title), x=x1, y=y1, width=max(x2 - x1, 0.0), height=max(y2 - y1, 0.0),
                class_=f"fill {class_}",
            )
        )  # fmt: skip

    def rule(
        self, *, x: float | None = None, y: float | None = None, class_: str = "", title: str = ""
    ) -> None:
        """A straight line across, at a value of one axis."""
        x1, y1 = self.place(self.x.low if x is None else x, self.y.low if y is None else y)
        x2, y2 = self.place(self.x.high if x is None else x, self.y.high if y is None else y)
        self.parts.append(
            element("line", tooltip(title), x1=x1, y1=y1, x2=x2, y2=y2, class_=f"rule {class_}")
        )

    def render(self) -> str:
        """The drawing: grid and figures below, what was drawn above."""
        right, bottom = self.width - self.right, self.height - self.bottom
        back = []
        for value in self.y.ticks():
            y = self.place(self.x.low, value)[1]
            back.append(element("line", x1=self.left, y1=y, x2=right, y2=y, class_="grid"))
            back.append(label(self.left - 6, y + 3.5, self.y.show(value), class_="end"))
        for value in self.x.ticks():
            x = self.place(value, self.y.low)[0]
            back.append(element("line", x1=x, y1=bottom, x2=x, y2=bottom + 4, class_="axis"))
            back.append(label(x, bottom + 16, self.x.show(value), class_="middle"))
        back.append(element("line", x1=self.left, y1=bottom, x2=right, y2=bottom, class_="axis"))
        back.append(label((self.left + right) / 2, self.height - 5, self.x.label, class_="middle soft"))
        back.append(label(self.left, 13, self.title, class_="heading"))
        return picture(self.width, self.height, [*back, *self.parts], self.title)
