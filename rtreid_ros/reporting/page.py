"""The page around the pictures: one file that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from rtreid_ros.reporting.svg import SERIES, element

# After Okabe and Ito, "Color Universal Design", 2008: told apart with any kind of colour vision.
# The dark scheme has the same hues, lighter; yellow is too pale for paper and darkened there.
_LIGHT = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#7a5195", "#6b6b6b")
_DARK = ("#4ba3e3", "#f2894a", "#2fc69c", "#e7a3c8", "#e8c34a", "#8fd3ff", "#b48ad0", "#a8a8a8")
_DASHES = ("none", "7 3", "2 3", "9 3 2 3")
"""A second way to tell lines apart."""


def _colours(colours: Sequence[str]) -> str:
    return "".join(f"--s{index}:{colour};" for index, colour in enumerate(colours))


def _stylesheet() -> str:
    series = "".join(
        f".s{index}{{--c:var(--s{index});--d:{_DASHES[index % len(_DASHES)]}}}" for index in range(SERIES)
    )
    return f"""
:root{{color-scheme:light dark;--paper:#fff;--ink:#1c2126;--soft:#5d6770;--hair:#dde2e6;--panel:#f6f8f9;
--missed:#b4bdc5;{_colours(_LIGHT)}}}
@media (prefers-color-scheme:dark){{:root{{--paper:#14181b;--ink:#e6eaed;--soft:#9aa5ae;--hair:#2e363c;
--panel:#1b2125;--missed:#55616b;{_colours(_DARK)}}}}}
*{{box-sizing:border-box}}
body{{margin:0 auto;max-width:1160px;padding:28px 20px 60px;background:var(--paper);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}}
h1{{font-size:26px;line-height:1.2;margin:0 0 4px}}h2{{font-size:19px;margin:40px 0 8px}}
h3{{font-size:15px;margin:22px 0 6px}}p{{margin:6px 0;max-width:76ch}}.note,figcaption{{color:var(--soft);
font-size:13px}}
code{{font:0.92em ui-monospace,"DejaVu Sans Mono",monospace}}
.scroll{{overflow-x:auto}}table{{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:14px;
margin:10px 0}}
th,td{{padding:4px 10px;text-align:right;border-bottom:1px solid var(--hair);white-space:nowrap}}
th{{font-weight:600;color:var(--soft)}}th:first-child,td:first-child{{text-align:left;padding-left:0}}
td.best{{font-weight:700}}td.text,th.text{{text-align:left}}tr.total td{{border-top:2px solid var(--soft)}}
.grid{{display:grid;grid-template-columns:repeat(auto-fit,minmax(300px,1fr));gap:12px}}
.small{{grid-template-columns:repeat(auto-fit,minmax(250px,1fr))}}
figure{{margin:10px 0}}.card{{background:var(--panel);border:1px solid var(--hair);border-radius:8px;
padding:10px}}
details{{border-top:1px solid var(--hair);padding:6px 0}}summary{{cursor:pointer;font-weight:600}}
summary .soft{{font-weight:400}}
.hunt div{{display:flex;gap:5px;overflow-x:auto}}.hunt img,.hunt span{{flex:none;border:3px solid}}
.hunt .asked{{border-color:var(--ink);margin-right:9px}}.hunt .right{{border-color:var(--s2)}}
.hunt .wrong{{border-color:var(--s1);border-style:dashed}}.hunt span{{width:62px;text-align:center}}
.legend{{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:13px;margin:8px 0;padding:0;list-style:none}}
.legend svg{{width:26px;height:10px;margin-right:6px;vertical-align:middle;display:inline-block}}
svg{{display:block;width:100%;height:auto}}
svg text{{font-size:11px;fill:var(--ink)}}svg .end{{text-anchor:end}}svg .middle{{text-anchor:middle}}
svg .soft,.soft{{fill:var(--soft);color:var(--soft)}}svg .heading{{font-size:12.5px;font-weight:600}}
svg line.grid{{stroke:var(--hair);stroke-width:1}}
svg .axis{{stroke:var(--soft);stroke-width:1}}
svg .line{{fill:none;stroke:var(--c);stroke-dasharray:var(--d);stroke-width:2;stroke-linejoin:round}}
svg .faint{{stroke:var(--missed);stroke-width:1;stroke-dasharray:none}}
svg .rule{{stroke:var(--c,var(--soft));stroke-width:1.2;stroke-dasharray:4 3}}
svg .mark,svg .fill{{fill:var(--c)}}svg .quiet{{fill:var(--missed)}}
svg .hollow{{fill:none;stroke:var(--missed);stroke-width:1.3}}
svg .missed{{stroke:var(--missed);stroke-width:2}}svg .switch{{stroke:var(--ink);stroke-width:1.6}}
{series}
@media print{{details{{break-inside:avoid}}}}
"""


def page(title: str, subtitle: str, sections: Iterable[str]) -> str:
    """A whole document; title and subtitle are text, sections are markup."""
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_stylesheet()}</style>"
    )
    body = f"<h1>{escape(title)}</h1>{paragraph(subtitle, 'note')}{''.join(sections)}"
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'


def section(title: str, *content: str) -> str:
    """A heading and what belongs to it; empty where nothing does."""
    return f"\n<section><h2>{escape(title)}</h2>{''.join(content)}</section>" if any(content) else ""


def paragraph(text: str, class_: str = "") -> str:
    """Text; empty text makes none."""
    if not text:
        return ""
    return element("p", escape(text), class_=class_) if class_ else element("p", escape(text))


def figure(drawing: str, caption: str = "", class_: str = "card") -> str:
    """A drawing with a line below it."""
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure class="{class_}">{drawing}{below}</figure>'


def panels(drawings: Iterable[str], class_: str = "grid") -> str:
    """Small drawings side by side, as many as fit; class ``grid small`` for more of them."""
    return f'<div class="{class_}">{"".join(figure(drawing) for drawing in drawings)}</div>'


def details(title: str, remark: str, content: str, *, unfolded: bool = False) -> str:
    """What can be folded away."""
    return (
        f"\n<details{' open' if unfolded else ''}><summary>{escape(title)} "
        f'<span class="soft">{escape(remark)}</span></summary>{content}</details>'
    )


def legend(names: Sequence[str], kind: str = "line") -> str:
    """What the colours of series mean; empty for a single one."""
    if len(names) < 2:
        return ""
    marks = {
        "line": '<line x1="0" y1="5" x2="26" y2="5" class="line s{}"/>',
        "fill": '<rect x="4" y="0" width="18" height="10" class="fill s{}"/>',
    }
    items = "".join(
        f'<li><svg viewBox="0 0 26 10" aria-hidden="true">{marks[kind].format(index % SERIES)}</svg>'
        f"{escape(name)}</li>"
        for index, name in enumerate(names)
    )
    return f'<ul class="legend">{items}</ul>'


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    best: Iterable[tuple[int, int]] = (),
    total: int | None = None,
    text: Iterable[int] = (),
) -> str:
    """Cells are text. `best`: (row, column) set in bold; `total`: row set apart; `text`: columns set left."""
    bold, left = set(best), set(text)

    def cell(tag: str, column: int, content: str, row: int = -1) -> str:
        classes = " ".join(
            name for name, holds in (("text", column in left), ("best", (row, column) in bold)) if holds
        )
        return f"<{tag}{f' class={chr(34)}{classes}{chr(34)}' if classes else ''}>{escape(content)}</{tag}>"

    head = "".join(cell("th", column, name) for column, name in enumerate(header))
    body = "".join(
        f"<tr{' class=' + chr(34) + 'total' + chr(34) if index == total else ''}>"
        + "".join(cell("td", column, content, index) for column, content in enumerate(row))
        + "</tr>"
        for index, row in enumerate(rows)
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
