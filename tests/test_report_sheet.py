"""The comparison as CSV: exact amounts, what is not known is empty, and no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
from dataclasses import replace
from decimal import Decimal
from io import StringIO

import pytest
from report_samples import PRICES, TOTALS, billed, compared, local

import costlab as cl
from costlab.report.sheet import plain

D = Decimal


def rows_of(text: str) -> dict[str, dict[str, str]]:
    """Return the rows by provider/model."""
    return {f"{row['provider']}/{row['model']}": row for row in csv.DictReader(StringIO(text))}


def test_amounts_are_exact_decimals() -> None:
    rows = rows_of(cl.comparison_csv(compared(daily=250)))
    assert list(rows) == ["openai/m", "anthropic/c", "zai/u", "old/r"]
    for name, (recorded, bare) in TOTALS.items():
        row = rows[name]
        assert D(row["usd_per_task_as_recorded"]) == recorded
        assert D(row["usd_per_task_nothing_cached"]) == bare
        assert D(row["usd_per_1000_tasks_as_recorded"]) == recorded * 1_000
        assert D(row["usd_per_month_nothing_cached"]) == bare * 250 * 30
    assert (rows["openai/m"]["tasks_a_day"], rows["openai/m"]["days_a_month"]) == ("250", "30")
    assert rows["anthropic/c"]["times_recorded_or_reference"] == "9.500000"  # 0.0684 / 0.0072


def test_units_their_money_and_their_basis() -> None:
    row = rows_of(cl.comparison_csv(compared()))["anthropic/c"]
    units = ("input_tokens", "cache_read_tokens", "output_tokens")
    assert [row[f"quantity_{unit}"] for unit in units] == ["12000", "8000", "2000"]
    assert [row[f"usd_{unit}"] for unit in units] == ["0.036", "0.0024", "0.03"]
    assert row["basis_of_counts"] == "cache_read_tokens=assumed; input_tokens=assumed; output_tokens=assumed"


def test_bounds_are_named_and_unknown_is_empty() -> None:
    rows = rows_of(cl.comparison_csv(compared()))
    bound, unfit = rows["zai/u"], rows["old/r"]
    assert (bound["state"], bound["lower_bound_as_recorded"], bound["lower_bound_reasons"]) == (
        "lower_bound", "yes", "unpriced",
    )  # fmt: skip
    assert (bound["unpriced_units"], bound["usd_output_tokens"], bound["quantity_output_tokens"]) == (
        "output_tokens", "", "2000",
    )  # fmt: skip
    assert (unfit["state"], unfit["why_not"]) == ("unfit", "retired 2026-10-23")
    assert {value for name, value in unfit.items() if name.startswith("usd_")} == {""}
    assert rows["openai/m"]["lower_bound_as_recorded"] == "no"


def test_dates_and_sources_of_the_prices() -> None:
    row = rows_of(cl.comparison_csv(compared()))["openai/m"]
    assert row["price_sources"] == "litellm"
    assert (row["prices_read_first"], row["prices_read_last"], row["made_at"]) == (
        "2026-11-20", "2026-11-20", "2026-11-24T12:00:00Z",
    )  # fmt: skip
    assert (row["prices_of"], row["price_date_unproven"], row["prices_set_by_user"]) == ("call", "no", "no")
    assert row["compared_with"] == "as recorded"
    assert rows_of(cl.comparison_csv(compared(local())))["openai/m"]["compared_with"] == "anthropic/c"


def test_a_price_of_the_users_is_marked() -> None:
    edited = PRICES.edited([cl.edit_rate(PRICES, "openai", "m", "output_tokens", D(4))])
    row = rows_of(cl.comparison_csv(compared(prices=edited)))["openai/m"]
    assert (row["prices_set_by_user"], row["usd_output_tokens"]) == ("yes", "0.008")  # 2,000 x 4 millionths


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t=", "\r=", "\n=", " =", "\x00="])
def test_no_foreign_text_is_a_formula(begin: str) -> None:
    one = compared(billed(run_id=f"{begin}cmd|' /C calc'!A0"))
    foreign = replace(one.found[3], provider=f"{begin}HYPERLINK()", model=f"{begin}1+1", why_not=f"{begin}2")
    text = cl.comparison_csv(replace(one, found=(foreign, replace(foreign, why_not=""))))
    cells = [cell for row in list(csv.reader(StringIO(text, newline="")))[1:] for cell in row]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))] == []
    assert f"'{begin.strip(chr(0)).strip()}1+1" in cells


def test_several_runs_share_their_columns() -> None:
    text = cl.comparison_csv([compared(), compared(local())])
    rows = list(csv.DictReader(StringIO(text)))
    assert [row["run_id"] for row in rows] == ["billed-run"] * 4 + ["local-run"] * 4
    assert cl.comparison_csv([]) == "\n"


def test_no_amount_is_scientific() -> None:
    assert [plain(D(text)) for text in ("1E+3", "0.0000001", "-0", "7.20")] == ["1000", "0.0000001", "0", "7.2"]
