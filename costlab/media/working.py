"""What the formulas share: the numbers of a rule, a worked count, and arithmetic that several shapes use."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from reprlib import repr as short

from costlab.errors import BadInput, CostLabError
from costlab.media.requests import MediaRequest


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of one rule: integers, exact fractions, words and tables of them, by name."""

    values: Mapping[str, object]

    def whole(self, key: str, default: int | None = None) -> int:
        """Return an integer; raises BadInput naming the key where there is none and no default."""
        found = self.values.get(key, default)
        if not isinstance(found, int) or isinstance(found, bool):
            raise BadInput(f"not a whole number: {short(found)}", field=key)
        return found

    def exact(self, key: str) -> Fraction:
        """Return a number as an exact fraction; raises BadInput naming the key."""
        found = self.values.get(key)
        if not isinstance(found, int | str | Fraction) or isinstance(found, bool):
            raise BadInput(f"not a number: {short(found)}", field=key)
        try:
            return Fraction(found)
        except (ValueError, ZeroDivisionError):
            raise BadInput(f"not a number: {short(found)}", field=key) from None

    def text(self, key: str, default: str = "") -> str:
        """Return a word; raises BadInput naming the key."""
        found = self.values.get(key, default)
        if not isinstance(found, str):
            raise BadInput(f"not a word: {short(found)}", field=key)
        return found

    def words(self, key: str) -> tuple[str, ...]:
        """Return a list of words, empty where the key is absent."""
        found = self.values.get(key, ())
        return tuple(str(f) for f in found) if isinstance(found, list | tuple) else ()

    def table(self, key: str) -> Numbers:
        """Return a table under a key; raises BadInput naming the key."""
        found = self.values.get(key)
        if not isinstance(found, Mapping):
            raise BadInput(f"not a table: {short(found)}", field=key)
        return Numbers({str(k): v for k, v in found.items()})


@dataclass(frozen=True, slots=True)
class Worked:
    """A count with its arithmetic; `estimated` says why it is only an estimate, where the shape itself knows."""

    tokens: int
    line: str
    estimated: str = ""


class NotCountable(CostLabError):
    """The vendor refuses such a medium, or publishes no way to count it."""


def fit(width: int, height: int, limit: int) -> tuple[int, int]:
    """Shrink into a square, never enlarge: whole pixels, half to even, as bills for 2049x513 and 2050x513 show."""
    long = max(width, height)
    if long <= limit:
        return width, height
    return max(1, round(Fraction(width * limit, long))), max(1, round(Fraction(height * limit, long)))


def arrow(before: tuple[int, int], after: tuple[int, int]) -> str:
    """Return `1024x1024 -> 768x768`, or the one size where nothing was resized."""
    start = f"{before[0]}x{before[1]}"
    return start if before == after else f"{start} -> {after[0]}x{after[1]}"


def show(number: Fraction) -> str:
    """Return a fraction as people write it: 1.2, 32."""
    return str(number) if number.denominator == 1 else f"{float(number):.10g}"


def many(count: int, thing: str) -> str:
    """Return a count of things: 1 tile, 4 tiles."""
    return f"{count} {thing}{'' if count == 1 else 's'}"


def level(request: MediaRequest, n: Numbers) -> tuple[str, int]:
    """Return the media resolution asked for and its figure; raises NotCountable for one the model does not have."""
    asked = request.media_resolution or "default"
    levels = n.table("levels")
    if asked not in levels.values:
        raise NotCountable(f"no figure for media_resolution {asked}; there are {', '.join(levels.values)}")
    return asked, levels.whole(asked)


def refuse_over(sides: tuple[int, int], limit: int) -> None:
    """Raise NotCountable for a picture that the vendor rejects for a side in pixels."""
    if max(sides) > limit:
        raise NotCountable(f"refused: a side of {max(sides)} px, at most {limit}")


def grid(width: Fraction, height: Fraction, most: int) -> tuple[int, int]:
    """Return the cells of a picture's aspect under a maximum: floor(sqrt(N w/h)) x floor(sqrt(N h/w)), at least 1."""
    across, down = math.isqrt(int(most * width / height)), math.isqrt(int(most * height / width))
    return min(max(across, 1), most), min(max(down, 1), most)


def exact(value: Decimal | int | float | None, field: str) -> Fraction:
    """Return a number as written, exactly; raises BadInput naming the field where it is missing."""
    if value is None:
        raise BadInput(f"needs {field}", field=field)
    return Fraction(str(value))


def rounded(value: Fraction, how: str) -> int:
    """Return a count rounded `up` or `down`, as the vendor does."""
    return math.ceil(value) if how == "up" else math.floor(value)
