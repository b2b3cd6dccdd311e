"""A run on other models as the door offers it. Apart from pricing, which a cold start should not wait for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from costlab import projection
from costlab.door.models import facts, reference_model, resolve
from costlab.door.pricing import price_run, priced_day
from costlab.door.tables import load_table, pricing_folder
from costlab.models import needs_of, why_not
from costlab.prices import PriceBook, PriceTable, Resolved
from costlab.projection import Alternative, Baseline, Terms
from costlab.runs import Run
from costlab.words import ENGLISH, Words


def on_model(run: Run, name: str, table: PriceTable, *, pricing: str | Path | None = None) -> Run:
    """Return a run as if every call had gone to another model (`provider/model`); raises UnknownModel."""
    return projection.rerun(run, resolve(name, table), _terms(run, "call", datetime.now(UTC), pricing))


def _terms(run: Run, at: str, now: datetime, pricing: str | Path | None) -> Terms:
    """What a run is priced on elsewhere; the media rules are read only where a run has media to count."""
    from costlab import rules

    counting = any(projection.uncounted(run, call) for call in run.calls)
    return projection.Terms(now, priced_day(at, now), rules.media_rules(pricing_folder(pricing)) if counting else None)


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
