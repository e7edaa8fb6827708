"""Pictures over time, one at a time: with a slider, or played."""

from __future__ import annotations

from collections.abc import Sequence

from rtreid_ros.reporting.svg import element

_SCRIPT = """<script>
for (const book of document.querySelectorAll(".flipbook")) {
  const frames = book.querySelectorAll("figure");
  const slider = book.querySelector("input"), button = book.querySelector("button");
  let timer = 0;
  const show = () => frames.forEach((frame, place) => { frame.hidden = place != slider.value; });
  const stop = () => { clearInterval(timer); timer = 0; button.textContent = "play"; };
  slider.oninput = () => { stop(); show(); };
  button.onclick = () => {
    if (timer) return stop();
    button.textContent = "stop";
    timer = setInterval(() => { slider.value = (+slider.value + 1) % frames.length; show(); }, 500);
  };
  book.querySelector("p").hidden = false;
  show();
}
</script>"""


def flipbook(figures: Sequence[str]) -> str:
    """`figures` (markup of ``<figure>``) in the place of each other, the last one first.

    Where scripts are not run they stand below each other.
    """
    if len(figures) < 2:
        return "".join(figures)
    last = len(figures) - 1
    controls = (
        '<button type="button">play</button> '
        f'<input type="range" min="0" max="{last}" value="{last}" aria-label="which of them is shown">'
    )
    handles = f"<p hidden>{controls}</p>"
    return element("div", handles + "".join(figures), class_="flipbook") + _SCRIPT
