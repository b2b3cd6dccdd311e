"""A model's prices through time, and what a disagreement of the sources is worth on given runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from price_files import GPT, corrected, folder
from price_samples import NOW, call, rate, run_of, table

import costlab as cl
from costlab.catalog.table import load
from costlab.prices import ModelRates
from costlab.prices.history import history

D = Decimal


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def told(periods: tuple[cl.Period, ...], unit: str = "input_tokens") -> list[tuple[str, str, str]]:
    """Return (from, to, price) of a unit's periods."""

    def name(at: datetime | None) -> str:
        return at.date().isoformat() if at else ""

    own = [p for p in periods if p.unit == unit]
    return [(name(p.start), name(p.end), str(p.rate.price) if p.rate else "none") for p in own]


def history_of(*rows: cl.Rate) -> tuple[cl.Period, ...]:
    return history(ModelRates("openai", "m", rows))


# ---- through time


def test_a_dated_price_begins_where_the_one_before_ends() -> None:
    rows = (
        rate("input_tokens", "4", valid_to="2026-04-30"),
        rate("input_tokens", "2", valid_from="2026-04-30", valid_to="2026-09-01"),
        rate("input_tokens", "1", valid_from="2026-09-01"),
    )
    found = history_of(*rows)
    assert told(found) == [("", "2026-04-30", "4"), ("2026-04-30", "2026-09-01", "2"), ("2026-09-01", "", "1")]
    assert [p.holds(day("2026-04-29T23:59:59")) for p in found] == [True, False, False]
    assert [p.holds(day("2026-04-30")) for p in found] == [False, True, False]


def test_a_price_that_ends_and_one_that_begins_later_leave_a_gap() -> None:
    rows = (rate("input_tokens", "4", valid_from="2026-01-01", valid_to="2026-02-01"),
            rate("input_tokens", "2", valid_from="2026-03-01", valid_to="2026-04-01"))  # fmt: skip
    assert told(history_of(*rows)) == [
        ("2026-01-01", "2026-02-01", "4"),
        ("2026-02-01", "2026-03-01", "none"),
        ("2026-03-01", "2026-04-01", "2"),
        ("2026-04-01", "", "none"),
    ]


def test_of_two_sources_one_is_in_force_and_the_other_stands_beside() -> None:
    ours, theirs = rate("input_tokens", "2", source="genai-prices"), rate("input_tokens", "3", source="litellm")
    (found,) = history_of(theirs, ours)
    assert found.rate == ours
    assert found.beside == (theirs,)
    doubtful = replace(theirs, price=D(0), note="doubtful zero: only litellm lists it")
    (found,) = history_of(doubtful)
    assert found.rate is None
    assert found.beside == (doubtful,)


def test_a_correction_replaces_for_its_time_and_an_empty_price_removes(tmp_path: Path) -> None:
    rows = [
        corrected(price="5", valid_from="2026-03-01", valid_to="2026-06-01"),
        corrected(price="", valid_from="2026-06-01", valid_to="2026-07-01"),
    ]
    prices = load(folder(tmp_path, corrections=rows))
    found = cl.price_history("openai", "gpt-x", prices)
    assert told(found) == [
        ("", "2026-03-01", GPT["price"]),
        ("2026-03-01", "2026-06-01", "5"),
        ("2026-06-01", "2026-07-01", "none"),
        ("2026-07-01", "", GPT["price"]),
    ]
    assert [(r.layer, r.price) for r in found[1].beside] == [("catalog", 2)]


def test_hours_and_conditions_are_told_apart() -> None:
    found = history_of(
        rate("input_tokens", "2"),
        rate("input_tokens", "1", windows="Sa-Su 00:00-24:00"),
        rate("input_tokens", "1", when={"processing": "batch"}),
        rate("input_tokens", "4", input_over=200_000),
    )
    assert [(p.windows, p.when, p.input_over) for p in found] == [
        ("", (), None),
        ("Sa-Su 00:00-24:00", (), None),
        ("", (("processing", "batch"),), None),
        ("", (), 200_000),
    ]


def test_the_shipped_history_of_grok_is_the_vendors() -> None:
    """docs.x.ai: 2.00 / 6.00 until 2026-04-30, then 1.25 / 2.50; cached at 0.20 throughout."""
    prices = cl.load_table(overrides=False)
    found = [p for p in cl.price_history("xai", "grok-4.20", prices) if not p.when and p.input_over is None]
    assert told(tuple(found)) == [("", "2026-04-30", "2"), ("2026-04-30", "", "1.25")]
    assert told(tuple(found), "output_tokens") == [("", "2026-04-30", "6"), ("2026-04-30", "", "2.5")]
    with pytest.raises(cl.UnknownModel):
        cl.price_history("xai", "grok-99", prices)


def test_history_says_what_prices_a_call() -> None:
    """At every edge of a shipped model's history the period's price is that of a call of that moment."""
    prices = cl.load_table(overrides=False)
    for name in ("grok-4.20", "grok-4.3"):
        periods = [p for p in cl.price_history("x-ai", name, prices) if p.unit == "output_tokens" and not p.when]
        for period in (p for p in periods if p.input_over is None and p.rate):
            at = period.start or day("2026-01-15")
            cost = cl.price("x-ai", name, {"output_tokens": 1_000_000}, table=prices, at=at.isoformat())
            assert period.rate is not None
            assert cost.total == period.rate.price


# ---- what a disagreement is worth


TWO_LISTS = table(
    rate("input_tokens", "2", source="genai-prices"), rate("input_tokens", "3", source="litellm"),
    rate("output_tokens", "8", source="genai-prices"), rate("output_tokens", "8", source="litellm"),
    rate("cache_read_tokens", "0.2", source="genai-prices"), rate("cache_read_tokens", "0.1", source="litellm"),
)  # fmt: skip


def test_a_disagreement_is_worth_what_the_other_price_would_add() -> None:
    runs = [run_of(call({"input_tokens": 1_000_000, "cache_read_tokens": 400_000, "output_tokens": 1_000})),
            run_of(call({"input_tokens": 100_000, "output_tokens": 1_000}))]  # fmt: skip
    fresh, hits = cl.at_stake(runs, TWO_LISTS, now=NOW)
    # 600,000 + 100,000 tokens at 3 instead of 2 USD a million
    assert (fresh.unit, fresh.preferred, fresh.other, fresh.difference, fresh.runs) == (
        "input_tokens", "genai-prices", "litellm", D("0.7"), 2,
    )  # fmt: skip
    # run a: 0.6 x 2 + 0.4 x 0.2 + 0.001 x 8 = 1.288; run b: 0.1 x 2 + 0.008 = 0.208
    assert (fresh.usd, fresh.other_usd) == (D("1.496"), D("2.196"))
    # 400,000 hits at 0.1 instead of 0.2; only run a has any
    assert (hits.unit, hits.difference, hits.runs, hits.lower_bound) == ("cache_read_tokens", D("-0.04"), 1, False)
    assert hits.usd == D("1.288")


def test_where_the_sources_agree_or_somebody_decided_nothing_is_at_stake() -> None:
    runs = [run_of(call({"output_tokens": 1_000}))]
    assert cl.at_stake(runs, TWO_LISTS, now=NOW) == ()
    settled = TWO_LISTS.edited([rate("input_tokens", "5", source="user")])
    assert cl.at_stake([run_of(call({"input_tokens": 1_000}))], settled, now=NOW) == ()


def test_a_source_that_began_later_leaves_a_call_unpriced() -> None:
    dated = table(
        rate("output_tokens", "8", source="genai-prices"),
        rate("output_tokens", "9", source="litellm", valid_from="2026-12-01"),
        rate("input_tokens", "2", source="genai-prices"),
    )
    (stake,) = cl.at_stake([run_of(call({"input_tokens": 10, "output_tokens": 1_000_000}))], dated, now=NOW)
    assert (stake.usd, stake.other_usd, stake.lower_bound) == (D("8.00002"), D("0.00002"), True)


def test_a_run_that_nobody_billed_is_priced_on_the_reference_model() -> None:
    local = run_of(call({"input_tokens": 1_000_000}, of="ollama/qwen3"))
    assert local.local
    (stake,) = cl.at_stake([local], TWO_LISTS, now=NOW, reference="openai/m")
    assert (stake.provider, stake.model, stake.difference) == ("openai", "m", D(1))


def test_at_the_prices_of_a_day() -> None:
    dated = table(
        rate("input_tokens", "2", source="genai-prices", valid_to="2026-06-01"),
        rate("input_tokens", "3", source="genai-prices", valid_from="2026-06-01"),
        rate("input_tokens", "3", source="litellm"),
    )
    runs = [run_of(call({"input_tokens": 1_000_000}, when_at="2026-05-01T12:00"))]
    assert [s.difference for s in cl.at_stake(runs, dated, now=NOW)] == [D(1)]
    assert cl.at_stake(runs, dated, at="today", now=NOW) == ()


@pytest.mark.needs("app")
def test_a_gap_is_a_row_without_a_price() -> None:
    rows = (rate("input_tokens", "4", valid_from="2026-01-01", valid_to="2026-02-01", input_over=200_000),
            rate("input_tokens", "2", valid_from="2026-03-01", input_over=200_000))  # fmt: skip
    frame = cl.frames.history(history_of(*rows))
    assert list(frame["conditions"]) == ["input > 200,000"] * 3
    assert [None if price != price else price for price in frame["price"]] == [4.0, None, 2.0]
    assert list(frame["per"]) == ["1M"] * 3
    assert list(frame["from"]) == ["2026-01-01", "2026-02-01", "2026-03-01"]
    assert frame["source"].tolist()[1] == ""


@pytest.mark.needs("app")
def test_the_models_that_are_compared_have_their_prices_through_time(shipped: cl.PriceTable) -> None:
    for name in (*cl.default_models(shipped), "anthropic/claude-opus-4-6"):  # one with a price that has ended
        provider, _, model = name.partition("/")
        periods = cl.price_history(provider, model, shipped)
        assert len(cl.frames.history(periods)) == len(periods) > 0, name
