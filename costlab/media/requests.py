"""What a picture, a sound, a film or a document is asked about: the request, and how it is read from JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from reprlib import repr as short
from types import MappingProxyType

from costlab.errors import BadInput

KINDS = ("image", "audio", "video", "document")
MAX_SIDE, MAX_SECONDS, MAX_PAGES = 100_000, 1_000_000, 100_000
_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "kind": KINDS,
        "detail": ("low", "high", "original", "auto"),
        "media_resolution": ("low", "medium", "high", "ultra_high", "default"),
        "input_fidelity": ("low", "high"),
        "direction": ("input", "output"),
        "rule": ("guide",),
    }
)
# Points; the ISO and ANSI sheets that a PDF is most often made on.
PAGE_SIZES: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"a3": (842, 1191), "a4": (595, 842), "a5": (420, 595), "letter": (612, 792), "legal": (612, 1008)}
    | {"tabloid": (792, 1224), "executive": (522, 756), "b5": (499, 709)}
)


@dataclass(frozen=True, slots=True)
class MediaRequest:
    """One picture, sound, film or document as it is sent (or, with direction `output`, made).

    `width`, `height` in pixels; `page_width`, `page_height` in any one unit; `seconds`; `fps` frames a second;
    `audio`: count a film's sound too; `track`: count one track of it alone (`video` or `audio`); `at`: day of the
    call, None is now; `rule`: `guide` asks for the documented figure where bills differ.
    """

    model: str
    kind: str
    width: int | None = None
    height: int | None = None
    detail: str | None = None
    media_resolution: str | None = None
    input_fidelity: str | None = None
    seconds: Decimal | int | float | None = None
    fps: Decimal | int | float | None = None
    audio: bool | None = None
    track: str | None = None
    direction: str = "input"
    pages: int | None = None
    page_width: Decimal | int | float | None = None
    page_height: Decimal | int | float | None = None
    page_size: str | None = None
    platform: str | None = None
    rule: str | None = None
    at: date | None = None
    quality: str | None = None
    size: str | None = None
    partial_images: int = 0


def parse_request(obj: Mapping[str, object]) -> MediaRequest:
    """Read a request from JSON's objects; raises BadInput naming the field for what cannot be sent to any model."""
    known = {f.name for f in fields(MediaRequest)} | {"id"}
    given = {k: v for k, v in obj.items() if v is not None and k != "id"}
    for key in given:
        if key not in known:
            raise BadInput(f"unknown field; there are {', '.join(sorted(known))}", field=key)
    for key in ("model", "kind"):
        if key not in given:
            raise BadInput("missing", field=key)
    made: dict[str, object] = {key: _READ[key](key, value) for key, value in given.items()}
    request = replace(MediaRequest("", ""), **made)  # type: ignore[arg-type]
    return _complete(request)


def sides(request: MediaRequest) -> tuple[int, int]:
    """Return width and height; raises BadInput where one is missing."""
    if request.width is None or request.height is None:
        raise BadInput("a picture needs width and height", field="width" if request.width is None else "height")
    return request.width, request.height


def _complete(request: MediaRequest) -> MediaRequest:
    """Check that what a kind cannot be counted without is there."""
    if request.kind == "image" and (request.direction == "input" or request.width or request.height):
        sides(request)
    if request.kind in ("audio", "video") and request.seconds is None:
        raise BadInput("missing: how long it is", field="seconds")
    if request.kind == "document" and request.pages is None:
        raise BadInput("missing: how many pages", field="pages")
    if (request.page_width is None) != (request.page_height is None):
        raise BadInput(
            "needs page_width and page_height", field="page_width" if request.page_width is None else "page_height"
        )
    return request


def _number(key: str, value: object, most: int, *, zero: bool = False) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise BadInput(f"not a number: {short(value)}", field=key)
    number = Decimal(str(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite() or number < 0 or (number == 0 and not zero) or number > most:
        raise BadInput(f"out of range: {number:.6g}; more than 0, at most {most}", field=key)
    return number


def _whole(key: str, value: object) -> int:
    most = {"pages": MAX_PAGES, "partial_images": 100}.get(key, MAX_SIDE)
    number = _number(key, value, most, zero=key == "partial_images")
    if number != number.to_integral_value():
        raise BadInput(f"not a whole number: {value}", field=key)
    return int(number)


def _decimal(key: str, value: object) -> Decimal:
    return _number(key, value, {"seconds": MAX_SECONDS, "fps": 1000}.get(key, MAX_SIDE), zero=key == "seconds")


def _free(key: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 300:
        raise BadInput(f"not a word: {short(value)}", field=key)
    return value.strip()


def _word(key: str, value: object) -> str:
    word = _free(key, value).lower()
    if key == "media_resolution":
        word = word.removeprefix("media_resolution_")
        word = "default" if word in ("unspecified", "auto") else word
    if word not in _WORDS[key]:
        raise BadInput(f"unknown: {short(value)}; there are {', '.join(_WORDS[key])}", field=key)
    return word


def _page_size(key: str, value: object) -> str:
    word = _free(key, value).lower()
    if page_shape(word) is None:
        raise BadInput(f"unknown: {short(value)}; there are WIDTHxHEIGHT and {', '.join(PAGE_SIZES)}", field=key)
    return word


def page_shape(word: str) -> tuple[Fraction, Fraction] | None:
    """Return width and height of a page in one unit from `A4`, `US letter`, `A4 landscape` or `210x297 mm`, or None."""
    plain = word.lower().strip().removeprefix("us ").removeprefix("us-")
    name = plain.removesuffix("landscape").rstrip(" -_")
    if name in PAGE_SIZES:
        short_side, long_side = PAGE_SIZES[name]
        sides_of = (long_side, short_side) if name != plain else (short_side, long_side)
        return Fraction(sides_of[0]), Fraction(sides_of[1])
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?) ?[x×:] ?(\d{1,6}(?:\.\d{1,6})?) ?(?:mm|cm|in|pt|px)?", plain)
    if not found or not Fraction(found[1]) or not Fraction(found[2]):
        return None
    return Fraction(found[1]), Fraction(found[2])


def _flag(key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise BadInput(f"not true or false: {short(value)}", field=key)
    return value


def _day(key: str, value: object) -> date:
    """Return the UTC day of a date or timestamp."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(_free(key, value))
    except ValueError:
        raise BadInput(f"not a date or timestamp: {short(value)}", field=key) from None
    return (moment.astimezone(UTC) if moment.tzinfo else moment).date()


_READ: Mapping[str, Callable[[str, object], object]] = MappingProxyType(
    dict.fromkeys(("width", "height", "pages", "partial_images"), _whole)
    | dict.fromkeys(("seconds", "fps", "page_width", "page_height"), _decimal)
    | dict.fromkeys(_WORDS, _word)
    | dict.fromkeys(("model", "track", "platform", "quality", "size"), _free)
    | {"audio": _flag, "at": _day, "page_size": _page_size}
)
