"""A price that a user sets: it changes what it names, whole groups of hours stay whole, and it can be taken apart."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

import costlab as cl
from costlab.edits import differences, edit, merged, shown

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TODAY = date(2026, 11, 24)


@pytest.fixture(scope="module")
def table() -> cl.PriceTable:
    return cl.load_table(overrides=False)


def rates_of(table: cl.PriceTable, name: str) -> cl.ModelRates:
    found = table.find(*name.split("/", 1))
    assert found is not None
    return found


def row_of(table: cl.PriceTable, name: str, unit: str) -> cl.Rate:
    return next(r for r in shown(rates_of(table, name), NOW) if r.unit == unit and not r.when)


def test_one_row_a_group_and_window_is_shown(table: cl.PriceTable) -> None:
    rows = shown(rates_of(table, "openai/gpt-5-mini"), NOW)
    groups = [(row.group, row.utc_windows) for row in rows]
    assert len(groups) == len(set(groups))
    assert row_of(table, "openai/gpt-5-mini", "output_tokens").price == 2


def test_an_edit_sets_the_price_for_all_dates(table: cl.PriceTable) -> None:
    rates, row = rates_of(table, "openai/gpt-5-mini"), row_of(table, "openai/gpt-5-mini", "output_tokens")
    (new,) = edit(rates, row, Decimal("4"), at=NOW, today=TODAY)
    assert (new.price, new.per, new.source, new.read_at) == (4, 1_000_000, "user", TODAY)
    assert (new.valid_from, new.valid_to) == (None, None)
    cost = cl.price("openai", "gpt-5-mini", {"output_tokens": 1_000}, table=table.edited([new]), at="2025-09-01")
    assert cost.total == Decimal("0.004")  # 1,000 x 4.00 USD per million


def test_an_edited_price_stays_where_it_stood(table: cl.PriceTable) -> None:
    name = "openai/gpt-5-mini"
    rates, row = rates_of(table, name), row_of(table, name, "input_tokens")
    (new,) = edit(rates, row, Decimal("4"), at=NOW, today=TODAY)
    groups = [one.group for one in shown(rates, NOW)]
    assert groups.index(row.group) < len(groups) - 1, "this test needs a row that is not the last"
    assert [one.group for one in shown(rates_of(table.edited([new]), name), NOW)] == groups


def test_an_edit_of_one_window_keeps_the_others(table: cl.PriceTable) -> None:
    name = "deepseek/deepseek-v4-flash"
    rates = rates_of(table, name)
    rows = [r for r in shown(rates, NOW) if r.unit == "output_tokens" and not r.when]
    peak = next(r for r in rows if r.utc_windows)
    others = [r for r in rows if r.group == peak.group and r.utc_windows != peak.utc_windows]
    assert others, "this test needs a model with prices by the hour"
    new = edit(rates, peak, Decimal("9"), at=NOW, today=TODAY)
    assert {(r.utc_windows, r.price) for r in new} == {
        (peak.utc_windows, Decimal("9")), *((r.utc_windows, r.price) for r in others)
    }  # fmt: skip
    assert {(r.utc_windows, r.source, r.read_at) for r in new} == {
        (peak.utc_windows, "user", TODAY), *((r.utc_windows, r.source, r.read_at) for r in others)
    }  # fmt: skip


@pytest.mark.parametrize("price", ["-1", "NaN", "Infinity"])
def test_what_is_no_price_is_refused(table: cl.PriceTable, price: str) -> None:
    rates, row = rates_of(table, "openai/gpt-5-mini"), row_of(table, "openai/gpt-5-mini", "output_tokens")
    with pytest.raises(cl.BadInput, match="output_tokens: a price must be 0 or more"):
        edit(rates, row, Decimal(price), at=NOW, today=TODAY)


def test_none_removes_and_0_is_free(table: cl.PriceTable) -> None:
    rates, row = rates_of(table, "openai/gpt-5-mini"), row_of(table, "openai/gpt-5-mini", "output_tokens")
    counts = {"output_tokens": 1_000}
    gone = table.edited(edit(rates, row, None, at=NOW, today=TODAY))
    free = table.edited(edit(rates, row, Decimal(0), at=NOW, today=TODAY))
    assert cl.price("openai", "gpt-5-mini", counts, table=gone).unpriced[0].unit == "output_tokens"
    cost = cl.price("openai", "gpt-5-mini", counts, table=free)
    assert (cost.total, cost.lower_bound, cost.free) == (0, False, True)


def test_a_later_edit_of_a_group_replaces_the_earlier_one(table: cl.PriceTable) -> None:
    rates, row = rates_of(table, "openai/gpt-5-mini"), row_of(table, "openai/gpt-5-mini", "output_tokens")
    first = merged({}, edit(rates, row, Decimal("4"), at=NOW, today=TODAY))
    second = merged(first, edit(rates, row, Decimal("5"), at=NOW, today=TODAY))
    assert [[r.price for r in rows] for rows in second.values()] == [[Decimal("5")]]


def test_differences_name_what_changed_and_nothing_else(table: cl.PriceTable) -> None:
    rates, row = rates_of(table, "openai/gpt-5-mini"), row_of(table, "openai/gpt-5-mini", "output_tokens")
    (changed,) = differences(table, edit(rates, row, Decimal("4"), at=NOW, today=TODAY), NOW)
    assert changed.before is not None
    assert (changed.before.price, changed.after.price) == (2, 4)
    assert differences(table, edit(rates, row, Decimal("2"), at=NOW, today=TODAY), NOW) == ()
