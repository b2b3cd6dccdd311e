"""What the sample agents work on: a few documents to search, a table to query, a chart drawn from it. All bundled."""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from costlab.errors import BadInput

if TYPE_CHECKING:
    from PIL.Image import Image

_DATA = Path(__file__).parent / "sample_data"
_MOST_ROWS = 40  # of one answer to a query
_BEST = 3  # documents of one answer to a search
_COMMON = frozenset(
    ("a", "an", "and", "are", "as", "at", "be", "by", "do", "does", "for", "from", "how", "i", "in", "is", "it", "of",
     "on", "or", "that", "the", "to", "was", "what", "when", "which", "who", "with")
)  # fmt: skip
CHART_TITLE = "Visitors of the boats in 2025"
CHART_SIZE = (960, 640)


@cache
def documents() -> Mapping[str, str]:
    """Return the bundled documents: title -> text."""
    found: dict[str, str] = {}
    for part in (_DATA / "documents.txt").read_text(encoding="utf-8").split("# ")[1:]:
        title, _, text = part.partition("\n")
        found[title.strip()] = text.strip()
    return found


def search(query: str) -> str:
    """Return the documents that fit a query best, with their titles; rare words count more."""
    wanted = set(_words(query))
    texts = {title: Counter(_words(f"{title} {title} {text}")) for title, text in documents().items()}
    held = Counter(word for words in texts.values() for word in words)
    rarity = {word: math.log(1 + len(texts) / held[word]) for word in wanted if word in held}
    scores = {title: sum(rarity[w] * min(words[w], 3) for w in rarity) for title, words in texts.items()}
    best = sorted((title for title in scores if scores[title] > 0), key=lambda title: (-scores[title], title))[:_BEST]
    if not best:
        return f"No document holds these words. There are documents on: {', '.join(documents())}."
    return "\n\n".join(f"# {title}\n{documents()[title]}" for title in best)


def _words(text: str) -> list[str]:
    """Return a text's words in small letters without a plural's s, common ones left out."""
    found = re.findall(r"[a-z0-9]+", text.lower())
    return [word[:-1] if len(word) > 3 and word.endswith("s") else word for word in found if word not in _COMMON]


@cache
def crossings() -> tuple[Mapping[str, str], ...]:
    """Return the bundled table, a row a month and boat: month, boat, trips, visitors, revenue (dollars)."""
    with (_DATA / "crossings.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


NUMBERS = ("trips", "visitors", "revenue")


def query(filters: str) -> str:
    """Return the rows whose columns hold what `filters` says (`boat=Alma; month=2025-07`), and the sums of numbers.

    Without filters every row counts. Raises BadInput for a column that is not there.
    """
    rows = crossings()
    for part in filter(None, (one.strip() for one in re.split(r"[;,&]|\band\b", filters))):
        column, sign, value = (text.strip().strip("'\"").lower() for text in part.partition("="))
        if not sign or column not in rows_columns():
            raise BadInput(f"filters are column=value, with a column of {', '.join(rows_columns())}", field="filters")
        rows = tuple(row for row in rows if row[column].lower() == value)
    if not rows:
        return "No row fits. Columns: " + ", ".join(rows_columns()) + "; months are written 2025-01."
    lines = [", ".join(f"{key} {value}" for key, value in row.items()) for row in rows[:_MOST_ROWS]]
    sums = ", ".join(f"{key} {sum(int(row[key]) for row in rows)}" for key in NUMBERS)
    return "\n".join([*lines, f"{len(rows)} rows. Sums: {sums}."])


def rows_columns() -> tuple[str, ...]:
    """Return the columns of the table."""
    return tuple(crossings()[0])


def visitors_by_month() -> Mapping[str, int]:
    """Return what the chart shows: the visitors of all boats in each month."""
    found: Counter[str] = Counter()
    for row in crossings():
        found[row["month"]] += int(row["visitors"])
    return dict(found)


def chart() -> Image:
    """Return the chart as a picture of `CHART_SIZE` pixels, drawn from the table: the same pixels each time."""
    from PIL import Image, ImageDraw, ImageFont

    values = visitors_by_month()
    wide, high = CHART_SIZE
    picture = Image.new("RGB", CHART_SIZE, "white")
    draw = ImageDraw.Draw(picture)
    large, small = ImageFont.load_default(28), ImageFont.load_default(18)
    draw.text((40, 24), CHART_TITLE, "black", large)
    room, base, top = (wide - 80) / len(values), high - 60, 110
    for place, (month, value) in enumerate(values.items()):
        left = 40 + place * room + room * 0.12
        up = base - (base - top) * value / max(values.values())
        draw.rectangle((left, up, left + room * 0.76, base), fill="#1F57C3")
        draw.text((left, up - 24), str(value), "black", small)
        draw.text((left, base + 10), month[2:], "black", small)
    draw.line((40, base, wide - 40, base), "black", 2)
    return picture
