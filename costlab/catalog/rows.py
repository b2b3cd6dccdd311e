"""The price files' rows: columns, how a row is read into a Rate (with every check) and written back as plain text.

catalog.csv, corrections.csv and overrides.csv have the same columns (DESIGN.md section 4, "Table").
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from costlab.errors import BadInput
from costlab.prices import WHEN_KEYS, Rate, When, parse_moment, parse_windows
from costlab.usage import unit as unit_of

COLUMNS = (
    "provider", "model", "unit", "price", "per", "currency", "when", "input_over", "output_over", "valid_from",
    "valid_to", "utc_windows", "source", "source_version", "read_at", "note",
)  # fmt: skip
REQUIRED = ("provider", "model", "unit", "price")
# The model of a row that holds for every model of its provider that has no row of that unit: a vendor's fee for a tool
# is one number for all its models. Only corrections and the user's file may have such rows.
EVERY = "*"
_LARGEST_PRICE = Decimal(10) ** 9


def plain(number: Decimal) -> str:
    """Return a number without exponent and trailing zeros."""
    text = format(number.normalize(), "f")
    return "0" if text in ("-0", "") else text


def parse_when(text: str) -> When:
    """Read a `when` cell `k=v;k=v`; keys sorted. Raises BadInput for unknown or repeated keys."""
    pairs: dict[str, str] = {}
    for part in filter(None, (p.strip() for p in text.split(";"))):
        key, found, value = (s.strip() for s in part.partition("="))
        if not found or not value:
            raise BadInput(f"not of the form key=value: {part!r}", field="when")
        if key not in WHEN_KEYS:
            raise BadInput(f"unknown condition {key!r}; known: {', '.join(WHEN_KEYS)}", field="when")
        if key in pairs:
            raise BadInput(f"condition {key!r} stands twice", field="when")
        pairs[key] = value
    return tuple(sorted(pairs.items()))


def format_when(when: When) -> str:
    """Return the `when` cell of conditions."""
    return ";".join(f"{k}={v}" for k, v in when)


def _price(text: str) -> Decimal | None:
    if not text:
        return None
    try:
        price = Decimal(text)
    except InvalidOperation:
        raise BadInput(f"a price must be a number, not {text[:40]!r}", field="price") from None
    if not price.is_finite() or price < 0 or price > _LARGEST_PRICE:
        raise BadInput(f"a price must be between 0 and 10^9, not {text[:40]!r}", field="price")
    return price


def _whole(text: str, field: str, least: int) -> int:
    if not re.fullmatch(r"\d{1,15}", text) or int(text) < least:
        raise BadInput(f"must be a whole number of at least {least}, not {text[:40]!r}", field=field)
    return int(text)


def _day(text: str, field: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput(f"not a date: {text[:40]!r}", field=field) from None


def _span(cell: Mapping[str, str]) -> tuple[datetime | None, datetime | None]:
    start = parse_moment(cell["valid_from"], "valid_from") if cell.get("valid_from") else None
    end = parse_moment(cell["valid_to"], "valid_to") if cell.get("valid_to") else None
    if start and end and end <= start:
        raise BadInput(f"must be after valid_from {cell['valid_from']}", field="valid_to")
    return start, end


def parse_row(cells: Mapping[str, str | None], layer: str) -> Rate:
    """Return the Rate of one row's cells; raises BadInput naming the field, or UnknownUnit."""
    cell = {k: (v or "").strip() for k, v in cells.items() if k is not None}
    for name in REQUIRED[:3]:
        if not cell.get(name):
            raise BadInput("must not be empty", field=name)
    try:
        kind = unit_of(cell["unit"])
    except BadInput as error:
        raise type(error)(error.problem, field="unit") from None
    if not re.fullmatch(r"[A-Z]{3}", cell.get("currency") or "USD"):
        raise BadInput(f"must be three capital letters (USD), not {cell['currency'][:20]!r}", field="currency")
    if cell["model"] == EVERY and (layer == "catalog" or kind.family != "tool_calls" or not cell.get("price")):
        said = "may stand for every model only in a price of a tool, in corrections or the user's file"
        raise BadInput(f"{EVERY!r} {said}", field="model")
    start, end = _span(cell)
    return Rate(
        provider=cell["provider"],
        model=cell["model"],
        unit=kind.key,
        price=_price(cell.get("price", "")),
        per=_whole(cell["per"], "per", 1) if cell.get("per") else kind.per,
        currency=cell.get("currency") or "USD",
        when=parse_when(cell.get("when", "")),
        input_over=_whole(cell["input_over"], "input_over", 0) if cell.get("input_over") else None,
        output_over=_whole(cell["output_over"], "output_over", 0) if cell.get("output_over") else None,
        valid_from=start,
        valid_to=end,
        utc_windows=parse_windows(cell["utc_windows"]) if cell.get("utc_windows") else None,
        source=cell.get("source", ""),
        source_version=cell.get("source_version", ""),
        read_at=_day(cell.get("read_at", ""), "read_at"),
        note=cell.get("note", ""),
        layer=layer,
    )


def header(line: Sequence[str], file: str) -> tuple[str, ...]:
    """Return a price file's column names; raises BadInput for a missing, unknown or repeated one."""
    names = tuple(n.strip().lstrip("\ufeff") for n in line)
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise BadInput(f"column stands twice: {', '.join(twice)}", file=file, line=1, field=twice[0])
    unknown = [n for n in names if n not in COLUMNS]
    missing = [n for n in REQUIRED if n not in names]
    if unknown or missing:
        said = [f"unknown: {', '.join(unknown)[:120]}"] * bool(unknown) + [f"missing: {', '.join(missing)}"] * bool(
            missing
        )
        raise BadInput(f"not the columns of a price file ({'; '.join(said)})", file=file, line=1)
    return names


def read_rates(text: str, file: str, layer: str) -> Iterator[Rate]:
    """Yield every row of a price file's text, checked; raises BadInput naming file, line and field."""
    for _, rate in scan_rates(text, file, layer):
        if isinstance(rate, BadInput):
            raise rate
        yield rate


def scan_rates(text: str, file: str, layer: str) -> Iterator[tuple[int, Rate | BadInput]]:
    """Yield (line, row or what is wrong with it) of a price file's text; raises BadInput where no row can be read."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        first = next(reader, None)
        if first is None:
            raise BadInput("is empty: a price file begins with its column names", file=file, line=1)
        names = header(first, file)
        for cells in reader:
            if not any(c.strip() for c in cells):
                continue
            if len(cells) > len(names):
                wrong = BadInput(f"has {len(cells)} cells, the header {len(names)}", file=file, line=reader.line_num)
                yield reader.line_num, wrong
                continue
            try:
                rate = parse_row(dict(zip(names, cells, strict=False)), layer)
            except BadInput as error:
                yield reader.line_num, error.at(file=file, line=reader.line_num)
            else:
                yield reader.line_num, rate
    except csv.Error as error:
        raise BadInput(f"not CSV: {error}", file=file, line=reader.line_num) from None


def cells_of(rate: Rate) -> dict[str, str]:
    """Return a Rate as the CSV's cells, in the order of COLUMNS."""
    return {
        "provider": rate.provider,
        "model": rate.model,
        "unit": rate.unit,
        "price": "" if rate.price is None else plain(rate.price),
        "per": str(rate.per),
        "currency": rate.currency,
        "when": format_when(rate.when),
        "input_over": "" if rate.input_over is None else str(rate.input_over),
        "output_over": "" if rate.output_over is None else str(rate.output_over),
        "valid_from": _moment(rate.valid_from),
        "valid_to": _moment(rate.valid_to),
        "utc_windows": rate.utc_windows.text if rate.utc_windows else "",
        "source": rate.source,
        "source_version": rate.source_version,
        "read_at": rate.read_at.isoformat() if rate.read_at else "",
        "note": rate.note,
    }


def _moment(value: datetime | None) -> str:
    if value is None:
        return ""
    if (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0):
        return value.date().isoformat()
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")


def write_rows(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    """Return CSV text with a header and one line a row."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n", extrasaction="raise")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def export_csv(rates: Iterable[Rate]) -> str:
    """Return rates as the text of a price file, in a stable order (provider, model, unit, conditions, dates)."""
    ordered = sorted((cells_of(r) for r in rates), key=order)
    return write_rows(COLUMNS, ordered)


def order(cell: Mapping[str, str]) -> tuple[object, ...]:
    """Return the sort key of a row's cells: stable, so that a diff of two files is readable."""
    return (
        cell["provider"], cell["model"], cell["unit"], cell["currency"], cell["when"].count("="), cell["when"],
        int(cell["input_over"] or -1), int(cell["output_over"] or -1), cell["valid_from"], cell["utc_windows"],
        cell["source"], cell["price"],
    )  # fmt: skip
