"""Where prices come from, as the door tells it: a model's prices through time, and what the sources' quarrels cost."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from costlab import prices
from costlab.catalog import disagree
from costlab.catalog.disagree import Stake
from costlab.door.elsewhere import on_model
from costlab.door.models import reference_model, resolve
from costlab.door.tables import load_table
from costlab.prices import ModelRates, Period, PriceTable, call_moment
from costlab.runs import Run


def price_history(provider: str | None, model: str, table: PriceTable | None = None) -> tuple[Period, ...]:
    """Return a model's prices through time: each unit's price from when to when, and who says so.

    Without a provider the name means its maker's own API. Raises UnknownModel.
    """
    book = table or load_table()
    who = resolve(f"{provider}/{model}" if provider else model, book)
    return prices.history(book.find(who.provider, who.model) or ModelRates(who.provider, who.model, ()))


def at_stake(
    runs: Iterable[Run],
    table: PriceTable | None = None,
    *,
    at: str = "call",
    now: datetime | None = None,
    reference: str | None = None,
) -> tuple[Stake, ...]:
    """Return what the sources' disagreements are worth on some runs, in USD, the widest first.

    `at` is call, today or a date. Runs of local models, which nobody billed, are priced on `reference`
    (`provider/model`; by default the reference model).
    """
    book, moment = table or load_table(), now or datetime.now(UTC)
    day = None if at == "call" else moment if at == "today" else call_moment(at)

    def moved(run: Run) -> Run:
        return on_model(run, reference or reference_model(), book) if run.unbilled else run

    return disagree.stakes(runs, book, now=moment, day=day, moved=moved)
