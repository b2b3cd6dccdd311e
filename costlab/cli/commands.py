"""The commands about calls and media: `price`, `media-tokens`."""

from __future__ import annotations

import json
from argparse import ArgumentParser, BooleanOptionalAction, Namespace
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import costlab as cl
from costlab.cli import shapes
from costlab.cli.output import WrongUse, problem, records, say, show_json, table

MEDIA_OPTIONS: Mapping[str, type] = {
    "model": str, "kind": str, "width": int, "height": int, "detail": str, "media_resolution": str,
    "input_fidelity": str, "seconds": float, "fps": float, "track": str, "direction": str, "pages": int,
    "page_width": float, "page_height": float, "page_size": str, "platform": str, "rule": str, "at": str,
    "quality": str, "size": str, "partial_images": int,
}  # fmt: skip


def add(commands: Any, common: ArgumentParser, dated: ArgumentParser) -> None:
    """Add `price` and `media-tokens` to the parser of commands."""
    one = commands.add_parser("price", parents=[common, dated], help="price calls")
    one.add_argument("--jsonl", metavar="FILE", help="one record a line (- is stdin)")
    one.add_argument("--provider")
    one.add_argument("--model")
    one.add_argument("--counts", metavar="JSON", help="inclusive counts by unit key, as a JSON object")
    one.add_argument("--service-tier")
    one.set_defaults(run=price)

    media = commands.add_parser("media-tokens", parents=[common], help="tokens of pictures, sound, films, pages")
    media.add_argument("--jsonl", metavar="FILE", help="one request a line (- is stdin)")
    for name, kind in MEDIA_OPTIONS.items():
        media.add_argument(f"--{name.replace('_', '-')}", type=kind)
    media.add_argument("--audio", action=BooleanOptionalAction, help="whether a film's sound counts too")
    media.set_defaults(run=media_tokens)


def price(o: Namespace) -> int:
    """`price`: one answer for each record, in order."""
    now = datetime.now(UTC)
    if not o.jsonl:
        return _price_one(o, now)
    if o.provider or o.model or o.counts or o.service_tier:
        raise WrongUse("price takes --jsonl FILE, or one call by --model and --counts, not both")
    table_, failed = cl.load_table(o.pricing, o.home), 0
    for name, line, record, broken in records(o.jsonl):
        answer = shapes.refused(None, broken) if broken else _priced(record, table_, o, now, (name, line))
        failed += answer["error"] is not None
        show_json(answer)
    return 1 if failed else 0


def _price_one(o: Namespace, now: datetime) -> int:
    if not (o.model and o.counts):
        raise WrongUse("price needs --jsonl FILE, or --model and --counts")
    try:
        counts = json.loads(o.counts)
    except (ValueError, RecursionError) as error:
        raise WrongUse(f"--counts is not JSON: {error}") from None
    asked = {"provider": o.provider, "model": o.model, "counts": counts, "service_tier": o.service_tier}
    prices = cl.load_table(o.pricing, o.home)
    try:
        found = cl.quote(asked, table=prices, at=o.at, now=now, pricing=o.pricing)
    except cl.BadInput as error:
        if o.json:
            show_json(shapes.refused(None, str(error)))
        problem(str(error))
        return 1
    if o.json:
        show_json(shapes.quoted(None, found))
    else:
        say(quote_lines(found))
    return 0


def _priced(record: object, table_: cl.PriceTable, o: Namespace, now: datetime, place: tuple[str, int]) -> shapes.Json:
    name, line = place
    if not isinstance(record, Mapping):
        return shapes.refused(None, f"{name}, line {line}: must be an object, not {type(record).__name__}")
    try:
        found = cl.quote(record, table=table_, at=o.at, now=now, pricing=o.pricing)
    except cl.BadInput as error:
        return shapes.refused(record.get("id"), str(error.at(file=name, line=line)))
    return shapes.quoted(record.get("id"), found)


def quote_lines(found: cl.Quote) -> list[str]:
    """Return a priced call as text: its total, its lines with their rates, and what is not known of it."""
    cost, who = found.cost, found.resolved
    total = cl.usd(cost.known, lower_bound=cost.lower_bound, free=cost.free)
    name = f"{who.provider}/{who.model}" if who.provider else who.model
    return [f"{name}  {total}", *_indented(cost_lines(cost)), *_indented(_doubts(found))]


def _indented(lines: list[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def cost_lines(cost: cl.Cost) -> list[str]:
    """Return the lines of a cost as a table: unit, quantity, rate, amount, and whose rate it is."""
    amounts = cl.column([line.amount for line in cost.lines])
    rows = [
        [
            cl.unit_name(line.unit, cl.ENGLISH),
            cl.tokens(line.quantity),
            cl.unit_price(line.usd_per_unit * line.rate.per, line.rate.per, _noun(line.unit)),
            amount,
            _terms(line.rate),
            _whence(line.rate),
        ]
        for line, amount in zip(cost.lines, amounts, strict=True)
    ]
    rows += [[cl.unit_name(u.unit, cl.ENGLISH), cl.tokens(u.quantity), "", "unpriced", "", ""] for u in cost.unpriced]
    return table(rows, "<>>><<")


def _noun(unit: str) -> str:
    return "tokens" if unit.endswith("_tokens") else cl.unit_name(unit, cl.ENGLISH)


def _terms(rate: cl.Rate) -> str:
    """Return on what conditions a rate holds."""
    said = [f"{key}={word}" for key, word in rate.when]
    said += [f"input over {rate.input_over:,}"] if rate.input_over is not None else []
    said += [f"output over {rate.output_over:,}"] if rate.output_over is not None else []
    said += [f"{rate.utc_windows.text} UTC"] if rate.utc_windows else []
    return ", ".join(said)


def _whence(rate: cl.Rate) -> str:
    said = [f"{rate.source} {rate.source_version}".strip()]
    said += [f"from {rate.valid_from:%Y-%m-%d}"] if rate.valid_from else []
    said += [f"read {rate.read_at.isoformat()}"] if rate.read_at else []
    return ", ".join(said)


def _doubts(found: cl.Quote) -> list[str]:
    """Return why a total is a lower bound, what today's prices make of it, and what was odd about the counts."""
    cost, today = found.cost, found.today
    said = [f"lower bound: {shapes.reasons(cost)}"] if cost.lower_bound else []
    said += list(dict.fromkeys(u.why for u in cost.unpriced))
    if today is None:
        said.append("at today's prices: unknown, a rate of the call's day has gone")
    elif today.total != cost.total:
        said.append(f"at today's prices: {cl.usd(today.known, lower_bound=today.lower_bound, free=today.free)}")
    if any(line.date_unproven for line in cost.lines):
        said.append("a rate without dates was read after the call: it is the current one")
    return said + [f"{w.code}: {w.detail}" for w in dict.fromkeys(found.warnings)]


def media_tokens(o: Namespace) -> int:
    """`media-tokens`: tokens by the vendor's formula."""
    given = {name: getattr(o, name) for name in (*MEDIA_OPTIONS, "audio") if getattr(o, name) is not None}
    if o.jsonl:
        if given:
            raise WrongUse("media-tokens takes --jsonl FILE, or one request by its options, not both")
        return _media_lines(o)
    if "model" not in given or "kind" not in given:
        raise WrongUse("media-tokens needs --model and --kind, or --jsonl FILE")
    answer = _media(given, o.pricing)
    if o.json:
        show_json(answer)
    if answer["error"] is not None:
        problem(str(answer["error"]))
        return 1
    if not o.json:
        print(f"{answer['tokens']:,} tokens = {answer['formula']}")
        print(f"  {answer['basis']}, {answer['source']}")
    return 0


def _media_lines(o: Namespace) -> int:
    failed = 0
    for name, line, record, broken in records(o.jsonl):
        answer = _refused(None, broken) if broken else _media(record, o.pricing, name, line)
        failed += answer["error"] is not None
        show_json(answer)
    return 1 if failed else 0


def _media(record: object, pricing: str | None, file: str | None = None, line: int | None = None) -> shapes.Json:
    """Return the tokens of one request; `file` and `line` say where it stands, for what is wrong with it."""
    if not isinstance(record, Mapping):
        told = cl.BadInput(f"must be an object, not {type(record).__name__}", file=file, line=line)
        return _refused(None, str(told))
    try:
        found = cl.media_tokens(record, pricing=pricing)
    except cl.BadInput as error:
        return _refused(record.get("id"), str(error.at(file=file, line=line)))
    return {
        "id": record.get("id"), "tokens": found.tokens, "formula": found.formula, "source": found.source,
        "error": found.error, "basis": found.basis,
    }  # fmt: skip


def _refused(identity: object, why: str) -> shapes.Json:
    return {"id": identity, "tokens": None, "formula": None, "source": None, "error": why, "basis": None}
