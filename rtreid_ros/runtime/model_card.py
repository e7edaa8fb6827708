"""The card of the built-in models: a section under a top-level heading for each part that trains some."""

from __future__ import annotations

import re
from pathlib import Path

CARD = "MODEL_CARD.md"


def write_section(models: Path, section: str) -> None:
    """Put `section` into the card of the folder `models`: in the place of the one so headed, or at the end.

    Args:
        models: folder of the card.
        section: text whose first line is ``# Heading``.
    """
    card = models / CARD
    sections = re.split(r"^(?=# )", card.read_text(encoding="utf-8") if card.is_file() else "", flags=re.M)
    heading = section.splitlines()[0]
    kept = [text.strip() for text in sections if text.strip()]
    places = [number for number, text in enumerate(kept) if text.splitlines()[0] == heading]
    if places:
        kept[places[0]] = section.strip()
    else:
        kept.append(section.strip())
    card.write_text("\n\n".join(kept) + "\n", encoding="utf-8")
