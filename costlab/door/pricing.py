"""Pricing as the door offers it: a response, a run, many calls, a run on other models; the files read for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from costlab import cost, projection, quoting
from costlab.cost import Cost, RunCost
from costlab.door.extras import with_extra
from costlab.door.models import context_window, facts, reference_model, resolve
from costlab.door.tables import load_table, pricing_folder
from costlab.errors import BadInput
from costlab.models import needs_of, why_not
from costlab.prices import PriceBook, PriceTable, Resolved, call_moment
from costlab.projection import Alternative, Baseline, Terms
from costlab.quoting import Quote
from costlab.runs import Run
from costlab.words import ENGLISH, Words

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

    return quoting.quote(record, table or load_table(pricing), now=now, day=_day(at, now), context=window)


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


def _day(at: str, now: datetime) -> datetime | None:
    return None if at == "call" else now if at == "today" else call_moment(at)


def price_run(run: Run, table: PriceTable | None = None, *, at: str = "call", now: datetime | None = None) -> RunCost:
    """Return what a run costs, call by call; `at` is call, today or a date. Runs of local models cost nothing."""
    now = now or datetime.now(UTC)
    return cost.price_run(run, table or load_table(), now=now, day=_day(at, now))


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
    found: BulkCost = cube.price_columns(columns, table or load_table(), now=now, day=_day(at, now), amounts=amounts)
    return found


def on_model(run: Run, name: str, table: PriceTable, *, pricing: str | Path | None = None) -> Run:
    """Return a run as if every call had gone to another model (`provider/model`); raises UnknownModel."""
    return projection.rerun(run, resolve(name, table), _terms(run, "call", datetime.now(UTC), pricing))


def _terms(run: Run, at: str, now: datetime, pricing: str | Path | None) -> Terms:
    """What a run is priced on elsewhere; the media rules are read only where a run has media to count."""
    from costlab import rules

    counting = any(projection.uncounted(run, call) for call in run.calls)
    return projection.Terms(now, _day(at, now), rules.media_rules(pricing_folder(pricing)) if counting else None)


def compare(  # noqa: PLR0913 - the day, the files and the words of a comparison
    run: Run,
    models: Sequence[str],
    table: PriceTable | None = None,
    *,
    at: str = "call",
    now: datetime | None = None,
    pricing: str | Path | None = None,
    t: Words = ENGLISH,
) -> tuple[Alternative, ...]:
    """Return a run's own tokens on several models' price lists, in the order asked; raises UnknownModel.

    `why_not` of each, in the words `t`, says why a model could not run the run.
    """
    now, table = now or datetime.now(UTC), table or load_table(pricing)
    book, needs, terms = PriceBook(table), needs_of(run), _terms(run, at, now, pricing)
    return tuple(
        projection.on_price_list(
            run, who, book, terms, why_not=why_not(facts(who.provider, who.model, pricing), needs, now.date(), t)
        )
        for who in (resolve(name, table) for name in models)
    )


def baseline(
    run: Run,
    table: PriceTable | None = None,
    *,
    reference: str | None = None,
    at: str = "call",
    now: datetime | None = None,
    pricing: str | Path | None = None,
) -> Baseline:
    """Return what a run's alternatives are compared with: its own cost, or that of a reference model.

    A run that nobody billed has no cost of its own: the reference model (`provider/model`, by default
    `reference_model()`, unpriced where the table lacks it) stands in. Raises UnknownModel for one that was named.
    """
    now, table = now or datetime.now(UTC), table or load_table(pricing)
    if not reference and not run.unbilled:
        return Baseline(price_run(run, table, at=at, now=now).cost)
    provider, _, model = reference_model().partition("/")
    usual = table.resolve(provider, model) or Resolved(provider, model, "none")
    who = resolve(reference, table) if reference else usual
    moved = projection.rerun(run, who, _terms(run, at, now, pricing))
    return Baseline(price_run(moved, table, at=at, now=now).cost, f"{who.provider}/{who.model}")
