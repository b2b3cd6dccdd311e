"""Ways out as the door offers them: a comparison with its terms, and a page of it on disk."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from costlab.door.elsewhere import compare
from costlab.door.models import default_models, reference_model
from costlab.door.pricing import price_run
from costlab.door.tables import load_table
from costlab.files import write_atomic
from costlab.prices import PriceTable
from costlab.projection import Alternative
from costlab.report.comparison import Comparison
from costlab.report.page import report_html
from costlab.runs import Run
from costlab.words import ENGLISH, Words


def comparison(  # noqa: PLR0913 - one keyword for each choice on the page
    run: Run,
    models: Sequence[str] = (),
    table: PriceTable | None = None,
    *,
    at: str = "call",
    now: datetime | None = None,
    reference: str | None = None,
    daily: int = 100,
    times: int = 1,
    pricing: str | Path | None = None,
    t: Words = ENGLISH,
) -> Comparison:
    """Return a run on several models' price lists (the default ones if none are named) with its terms.

    `reference` is the model to compare with instead of the run's own cost, by default the usual one where nobody billed
    the run; `daily` the tasks a day of a month; `times` for how many runs the page's first figures stand; `t` the words
    for why a model cannot run the run. Raises UnknownModel.
    """
    now, table = now or datetime.now(UTC), table or load_table(pricing)
    names = list(models) or list(default_models(table))

    def on(wanted: Sequence[str]) -> tuple[Alternative, ...]:
        return compare(run, wanted, table, at=at, now=now, pricing=pricing, t=t)

    usual = run.unbilled and table.resolve(*reference_model().split("/", 1))
    against = reference or (reference_model() if usual else None)
    return Comparison(
        run,
        on(names),
        price_run(run, table, now=now),
        price_run(run, table, at="today", now=now).cost,
        table,
        now,
        at,
        on([against])[0] if against else None,
        daily,
        times,
    )


def save_report(found: Sequence[Comparison], path: str | Path, lang: str = "en") -> Path:
    """Write the page of one or more comparisons whole or not at all, over what is there; raises CostLabError."""
    place = Path(path)
    write_atomic(place, report_html(found, lang).encode("utf-8"), private=False)
    return place
