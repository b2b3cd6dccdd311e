"""Pricing as the door offers it: a response, a run, many calls; the files read for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from costlab import cost, quoting
from costlab.cost import Cost, RunCost
from costlab.door.extras import with_extra
from costlab.door.models import context_window
from costlab.door.tables import load_table
from costlab.errors import BadInput
from costlab.prices import PriceTable, call_moment
from costlab.quoting import Quote
from costlab.runs import Run

if TYPE_CHECKING:
    from costlab.cube import BulkCost


def price(  # noqa: PLR0913 - one keyword for each condition of a price
    provider: str | None,
    model: str,
    counts: Mapping[str, object],
    *,
    table: PriceTable | None = None,
    at: str | None = None,
    service_tier: str | None = None,
    when: Mapping[str, str] | None = None,
) -> Cost:
    """Return what inclusive counts (by unit key) cost on a model in USD; raises BadInput, UnknownUnit."""
    record = {"provider": provider, "model": model, "counts": counts, "at": at, "service_tier": service_tier}
    return quote({**record, "when": when}, table=table).cost


def quote(
    record: Mapping[str, object],
    *,
    table: PriceTable | None = None,
    at: str = "call",
    now: datetime | None = None,
    pricing: str | Path | None = None,
) -> Quote:
    """Price one record (a response, a usage block or counts; fields as `price --jsonl` takes them)."""
    now = now or datetime.now(UTC)

    def window(provider: str, model: str) -> int | None:
        return context_window(provider, model, pricing)

    return quoting.quote(record, table or load_table(pricing), now=now, day=priced_day(at, now), context=window)


def quote_text(  # noqa: PLR0913 - one keyword for each thing that a text may not say
    text: str,
    *,
    provider: str | None = None,
    model: str | None = None,
    at: str | None = None,
    table: PriceTable | None = None,
    now: datetime | None = None,
    pricing: str | Path | None = None,
) -> Quote:
    """Price a pasted text: a response's JSON, the events of a stream, a usage block, or a record of `quote`.

    `provider` and `model` are taken from the text where they are not given, `at` (a date) too. Nothing is stored.
    Raises BadInput with line and field, TooLarge past a megabyte.
    """
    record = quoting.pasted(text, provider, model)
    try:
        return quote({**record, **({"at": at} if at else {})}, table=table, now=now, pricing=pricing)
    except BadInput as problem:
        raise quoting.located(problem, text) from None


def priced_day(at: str, now: datetime) -> datetime | None:
    """Return the day whose prices `at` (call, today or a date) asks for; None is each call's own."""
    return None if at == "call" else now if at == "today" else call_moment(at)


def price_run(run: Run, table: PriceTable | None = None, *, at: str = "call", now: datetime | None = None) -> RunCost:
    """Return what a run costs, call by call; `at` is call, today or a date. Runs of local models cost nothing."""
    now = now or datetime.now(UTC)
    return cost.price_run(run, table or load_table(), now=now, day=priced_day(at, now))


def price_many(
    columns: Mapping[str, Any],
    table: PriceTable | None = None,
    *,
    at: str = "call",
    now: datetime | None = None,
    amounts: bool = False,
) -> BulkCost:
    """Return what many calls cost, by model and in all: exact, and quick for millions (needs NumPy).

    Columns of one length, or one word for all: `provider`, `model`, `at`, conditions of a price (`service_tier`, ...)
    and inclusive counts by unit key. `amounts` adds each call's USD in float64. Raises BadInput naming column and row.
    """
    cube = with_extra("costlab.cube")
    now = now or datetime.now(UTC)
    found: BulkCost = cube.price_columns(
        columns, table or load_table(), now=now, day=priced_day(at, now), amounts=amounts
    )
    return found
