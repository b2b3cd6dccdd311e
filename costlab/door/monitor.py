"""The numbers of runs as the door offers them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from costlab.cost import RunCost
from costlab.door.elsewhere import on_model
from costlab.door.pricing import price_run
from costlab.door.tables import load_table
from costlab.monitoring import Metrics, summarise
from costlab.prices import PriceTable
from costlab.runs import Run


def metrics(
    runs: Iterable[Run],
    table: PriceTable | None = None,
    *,
    at: str = "call",
    now: datetime | None = None,
    reference: str | None = None,
    pricing: str | Path | None = None,
) -> Metrics:
    """Return steps, calls, tools, times in seconds, faults and money in USD of one run or many (docs/metrics.md).

    `at` is call, today or a date. With `reference` (`provider/model`) runs on local models, which nobody billed, are
    priced as if that model had served them: assumed, not measured. A call that several runs hold counts once. Raises
    UnknownModel.
    """
    now, table = now or datetime.now(UTC), table or load_table(pricing)
    priced = [_priced(run, table, reference, at, now, pricing) for run in runs]
    used = reference if reference and any(one.run.unbilled for one in priced) else ""
    return summarise(priced, used)


def _priced(
    run: Run, table: PriceTable, reference: str | None, at: str, now: datetime, pricing: str | Path | None
) -> RunCost:
    """Price a run; one on a reference model's prices keeps its own calls, so that figures name the model that ran."""
    served = on_model(run, reference, table, pricing=pricing) if reference and run.unbilled else run
    return replace(price_run(served, table, at=at, now=now), run=run)
