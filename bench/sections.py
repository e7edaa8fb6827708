"""Tables as text, and where they stand in a document."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def table(header: Any, rows: list[list[str]], *, text_columns: int) -> str:
    """Markdown; columns after the first `text_columns` are numbers."""
    widths = [max(len(row[column]) for row in [list(header), *rows]) for column in range(len(header))]
    rule = [
        "-" * width if column < text_columns else "-" * (width - 1) + ":"
        for column, width in enumerate(widths)
    ]

    def line(cells: Any) -> str:
        padded = (
            cell.ljust(width) if column < text_columns else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return f"| {' | '.join(padded)} |"

    return "\n".join(line(cells) for cells in (header, rule, *rows))


def columns(header: Any, rows: list[list[str]]) -> str:
    """The same without rules, for the terminal."""
    widths = [max(len(row[column]) for row in [list(header), *rows]) for column in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (header, *rows)
    )


def shown(words: Sequence[str]) -> str:
    """A command line as documents show it: without the places of one machine, and measuring anew."""
    kept = [word for word in words if word != "--kept"]
    return " ".join(Path(word).name if word.startswith("/") else word for word in kept)


def write_section(document: Path, name: str, text: str) -> None:
    """Put `text` between the markers of section `name`; everything else stays as it is.

    A section that the document does not have yet goes to its end.
    """
    begin, end = f"<!-- begin {name}: written by a command, do not edit -->", f"<!-- end {name} -->"
    block = f"{begin}\n{text}\n{end}"
    content = document.read_text(encoding="utf-8") if document.is_file() else ""
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if pattern.search(content):
        content = pattern.sub(lambda _: block, content)
    else:
        content = f"{content.rstrip()}\n\n{block}\n".lstrip()
    document.parent.mkdir(parents=True, exist_ok=True)
    document.write_text(content, encoding="utf-8")
