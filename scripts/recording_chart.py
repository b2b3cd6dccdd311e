"""The chart of the picture task: the inhabitants of four towns as bars, drawn from the numbers alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

SIZE = (960, 640)


def chart(values: Mapping[str, int]) -> Image:
    """Return a bar chart of named values, `SIZE` pixels; the same values give the same picture."""
    from PIL import Image, ImageDraw, ImageFont

    wide, high = SIZE
    picture = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(picture)
    font, small = ImageFont.load_default(30), ImageFont.load_default(24)
    draw.text((48, 24), "Inhabitants", "black", font)
    room, base, top = (wide - 96) / len(values), high - 80, 110
    for place, (name, value) in enumerate(values.items()):
        left = 48 + place * room + room * 0.15
        up = base - (base - top) * value / max(values.values())
        draw.rectangle((left, up, left + room * 0.7, base), fill="#3B6BFF")
        draw.text((left, up - 34), f"{value:,}", "black", small)
        draw.text((left, base + 16), name, "black", small)
    draw.line((48, base, wide - 48, base), "black", 2)
    return picture
