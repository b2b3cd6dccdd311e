"""The size of an uploaded picture, from its header alone: the picture is not decoded and not kept."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

import costlab as cl

MOST_BYTES = 20 * 2**20
MOST_PIXELS = 100_000_000  # no vendor takes more; a small file that says more is a decompression bomb
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")


def size_of(data: bytes, name: str) -> tuple[int, int]:
    """Return a picture's width and height in pixels; raises BadInput naming the file, TooLarge past the bounds."""
    if len(data) > MOST_BYTES:
        raise cl.TooLarge(f"has more than {MOST_BYTES // 2**20} MB, the most that is read", file=name)
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as picture:
            width, height = picture.size
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise cl.TooLarge(f"says more than {MOST_PIXELS:,} pixels; type its size instead", file=name) from None
    except (OSError, ValueError, SyntaxError, EOFError):  # what Pillow raises for a header that it cannot read
        raise cl.BadInput(f"not a picture that can be read: {', '.join(FORMATS)} can", file=name) from None
    if width * height > MOST_PIXELS or min(width, height) < 1:
        raise cl.TooLarge(f"says more than {MOST_PIXELS:,} pixels; type its size instead", file=name)
    return width, height
