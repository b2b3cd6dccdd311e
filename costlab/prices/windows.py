"""Hours of the week in UTC, and how dates and moments of rates and of calls are read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from costlab.errors import BadInput

_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")


@dataclass(frozen=True, slots=True)
class Windows:
    """Hours of the week, UTC, half-open: `Mo-Fr 01:00-04:00,06:00-10:00|Sa-Su 00:00-24:00`."""

    text: str
    spans: tuple[tuple[int, int], ...]  # minutes since Monday 00:00

    def hold(self, at: datetime) -> bool:
        """Return whether a moment (UTC) lies inside one of the windows."""
        minute = at.weekday() * 1440 + at.hour * 60 + at.minute
        return any(start <= minute < end for start, end in self.spans)


def parse_windows(text: str) -> Windows:
    """Read a `utc_windows` cell; raises BadInput for what is not of its form."""
    spans: list[tuple[int, int]] = []
    for part in text.split("|"):
        found = re.fullmatch(r"\s*(?:(\w\w)(?:-(\w\w))?\s+)?(\d\d:\d\d-\d\d:\d\d(?:,\d\d:\d\d-\d\d:\d\d)*)\s*", part)
        if not found or any(d and d not in _DAYS for d in found.groups()[:2]):
            raise BadInput(f"not a window of the form 'Mo-Fr 01:00-04:00': {part.strip()!r}", field="utc_windows")
        first = _DAYS.index(found[1]) if found[1] else 0
        last = _DAYS.index(found[2]) if found[2] else first if found[1] else 6
        for hours in found[3].split(","):
            start, end = (_minutes(h) for h in hours.split("-"))
            if end <= start:
                raise BadInput(f"a window must end after it starts: {hours}", field="utc_windows")
            days = range(first, last + 1 if first <= last else last + 8)  # Sa-Mo goes round the week
            spans += [(d % 7 * 1440 + start, d % 7 * 1440 + end) for d in days]
    return Windows(text, tuple(spans))


def _minutes(clock: str) -> int:
    hours, minutes = int(clock[:2]), int(clock[3:])
    if hours * 60 + minutes > 1440 or minutes > 59:
        raise BadInput(f"not a time of day: {clock}", field="utc_windows")
    return hours * 60 + minutes


def parse_moment(text: str, field: str) -> datetime:
    """Read a UTC date or timestamp; a bare date means 00:00 UTC here (a validity bound). Raises BadInput."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # the latter: in UTC it lies before the year 1 or after 9999
        raise BadInput(f"not a date or timestamp: {text!r}"[:120], field=field) from None


def call_moment(value: str | date | datetime) -> datetime:
    """Return the moment of a call: a bare date means 12:00 UTC (DESIGN.md section 4, "Dates"). Raises BadInput."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(12), UTC)
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value.strip()):
        return parse_moment(value.strip(), "at") + timedelta(hours=12)
    return parse_moment(value.strip(), "at")
