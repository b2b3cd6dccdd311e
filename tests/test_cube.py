"""Many calls at once: the same decimals as call by call, with tiers, windows, dates, fees and doubts."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from price_samples import NOW, M, at, claude, rate, table, text_rates
from test_laws import COUNTS, MOMENTS, TABLES

import costlab as cl
from costlab import cube
from costlab.cost import Cost, price_call, total_of
from costlab.errors import BadInput
from costlab.prices import PriceBook, PriceTable
from costlab.runs import ModelCall
from costlab.units import units

D = Decimal
PEAK = "Mo-Fr 01:00-04:00,06:00-10:00"
Row = dict[str, Any]


def columns_of(rows: list[Row]) -> dict[str, Any]:
    keys = dict.fromkeys(key for row in rows for key in row)
    words = ("provider", "model", "service_tier", "region")
    found: dict[str, Any] = {}
    for key in keys:
        column = [row.get(key) for row in rows]
        found[key] = column if key in (*words, "at") else [n or 0 for n in column]
    return found


def one_by_one(rows: list[Row], prices: PriceTable, day: datetime | None = None) -> list[Cost]:
    """The same calls through `price_call`."""
    book, found = PriceBook(prices), []
    for row in rows:
        counts = {k: n for k, n in row.items() if k in units() and n}
        when = {"region": row["region"]} if row.get("region") else {}
        call = ModelCall(
            "c", row["provider"], row["model"], counts, service_tier=row.get("service_tier"), when=when,
            started_at=row.get("at"),
        )  # fmt: skip
        found.append(price_call(call, book, now=NOW, day=day))
    return found


def agree(rows: list[Row], prices: PriceTable, day: datetime | None = None) -> cube.BulkCost:
    """Assert that the bulk figures are those of the calls, one by one; return them."""
    each = one_by_one(rows, prices, day)
    found = cube.price_columns(columns_of(rows), prices, now=NOW, day=day, amounts=True)
    whole = total_of(each)
    assert found.total == whole.total
    assert found.calls == len(rows)
    assert found.unpriced == sum(bool(c.unpriced) or not (c.lines or not c.bounds) for c in each)
    assert found.lower_bound == sum(c.lower_bound for c in each)
    assert sum(m.date_unproven for m in found.models) == sum(any(x.date_unproven for x in c.lines) for c in each)
    reasons = Counter((b.reason, b.unit) for c in each for b in c.bounds if b.unit)
    assert sum((Counter(m.bounds) for m in found.models), Counter()) == reasons
    used: Counter[str] = Counter()
    for x in (*whole.lines, *whole.unpriced):
        used[x.unit] += int(x.quantity)
    assert sum((Counter(m.counts) for m in found.models), Counter()) == used
    assert found.amounts is not None
    for amount, cost in zip(found.amounts.tolist(), each, strict=True):
        assert abs(Fraction(amount) - Fraction(cost.total)) <= Fraction(cost.total) / 10**14
    return found


RICH = table(
    *text_rates(), rate("cache_read_tokens", "0.2"), rate("web_searches", "10"),
    *text_rates(input="4", output="15", input_over=200_000),
    rate("input_tokens", "1", when={"processing": "batch"}), rate("input_tokens", "2.2", when={"region": "us"}),
    *text_rates("deepseek/d", "0.15", "0.6"), *text_rates("deepseek/d", "0.3", "1.2", windows=PEAK),
    *text_rates("anthropic/c", "3", "15", valid_to="2026-10-07"),
    *text_rates("anthropic/c", "2", "10", valid_from="2026-10-07"),
    *text_rates("perplexity/s", "1", "1"), rate("requests", "5", of="perplexity/s"),
    write=claude,
)  # fmt: skip


def test_tiers_windows_dates_and_fees_by_literal_figures() -> None:
    rows: list[Row] = [
        {"provider": "openai", "model": "m", "input_tokens": 200_000},  # x 2 = 0.4
        {"provider": "openai", "model": "m", "input_tokens": 200_001},  # x 4 = 0.800004
        {"provider": "deepseek", "model": "d", "input_tokens": M, "at": at("2026-11-24T03:59")},  # peak: 0.3
        {"provider": "deepseek", "model": "d", "input_tokens": M, "at": at("2026-11-24T04:00")},  # 0.15
        {"provider": "anthropic", "model": "c", "input_tokens": M, "at": at("2026-10-06T23:59")},  # 3
        {"provider": "anthropic", "model": "c", "input_tokens": M, "at": at("2026-10-07T00:00")},  # 2
        {"provider": "perplexity", "model": "s", "input_tokens": 1_000},  # 0.001 and 0.005 for the request
        {"provider": "local", "model": "qwen3", "input_tokens": M},  # ran here
        {"provider": "openai", "model": "gpt-9", "input_tokens": M},  # nobody knows
    ]
    found = agree(rows, RICH)
    assert found.total == D("6.656004")
    assert (found.calls, found.unpriced, found.lower_bound) == (9, 1, 1)
    assert [(m.provider, m.model, m.calls, m.total) for m in found.models] == [
        ("anthropic", "c", 2, D(5)), ("openai", "m", 2, D("1.200004")), ("deepseek", "d", 2, D("0.45")),
        ("perplexity", "s", 1, D("0.006")), ("local", "qwen3", 1, 0), ("openai", "gpt-9", 1, 0),
    ]  # fmt: skip
    assert agree(rows, RICH, day=NOW).total == D("5.656004")  # at today's prices: 2 x 2 for Claude, and peak stays peak


def drawn(seed: int, models: list[tuple[str, str]], n: int) -> list[Row]:
    """Calls of some models, seeded: cached tokens, some over context tiers, hours of two years, some conditions."""
    r = random.Random(seed)
    start = datetime(2025, 1, 1, tzinfo=UTC)
    rows = []
    for _ in range(n):
        provider, model = r.choice(models)
        size = r.choice(
            [r.randrange(50_000), 127_999 + r.randrange(3), 199_999 + r.randrange(3), 272_000 + r.randrange(2)]
        )
        cached = r.randrange(size + 1)
        rows.append({
            "provider": provider, "model": model, "input_tokens": size,
            "cache_read_tokens": cached, "cache_write_tokens": r.choice([0, 0, (size - cached) // 2]),
            "cache_write_1h_tokens": r.choice([0, 0, 0, 7]), "input_audio_tokens": r.choice([0, 0, 0, 50]),
            "output_tokens": 1_000 + r.randrange(3_000), "output_reasoning_tokens": r.randrange(1_000),
            "web_searches": r.choice([0, 0, 0, 2]), "at": start + timedelta(seconds=r.randrange(2 * 365 * 86_400)),
            "service_tier": r.choice([None, None, "default", "flex", "priority", "batch", "scale"]),
            "region": r.choice([None, None, "us"]),
        })  # fmt: skip
    return rows


@pytest.mark.parametrize("seed", [1, 2])
def test_a_sample_of_the_shipped_table_agrees_to_the_last_digit(shipped: PriceTable, seed: int) -> None:
    names = sorted(shipped.rates)
    models = random.Random(seed).sample(names, 60)
    models += [("deepseek", "deepseek-chat"), ("google", "gemini-2.5-pro"), ("anthropic", "claude-sonnet-4-5")]
    models += [("x-ai", "grok-4.3"), ("openai", "gpt-5.4"), ("perplexity", "sonar"), ("ollama", "qwen3"), ("mine", "x")]
    found = agree(drawn(seed, models, 1_500), shipped)
    assert found.total > 0
    assert found.unpriced > 0


def row_of(counts: dict[str, int], moment: datetime, tier: str | None, model: str) -> Row:
    return {"provider": "anthropic", "model": model, "at": moment, "service_tier": tier, **counts}


ROWS = st.builds(
    row_of, COUNTS, MOMENTS, st.sampled_from([None, "priority", "batch", "flex"]), st.sampled_from(["m", "unknown"])
)


@settings(max_examples=60, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=8), TABLES, st.none() | MOMENTS)
def test_any_calls_of_any_table_agree(rows: list[Row], prices: PriceTable, day: datetime | None) -> None:
    agree(rows, prices, day)


def test_more_calls_than_are_taken_at_once() -> None:
    rows = columns_of(drawn(3, [("openai", "m"), ("deepseek", "d"), ("anthropic", "c"), ("no", "body")], 500))
    once = cube.price_columns(rows, RICH, now=NOW)
    times = cube.CHUNK // 500 + 2
    many = cube.price_columns({key: list(column) * times for key, column in rows.items()}, RICH, now=NOW, amounts=True)
    assert many.calls == 500 * times > cube.CHUNK
    assert many.total == once.total * times
    assert many.unpriced == once.unpriced * times
    assert many.amounts is not None
    assert many.amounts[:500].tolist() == many.amounts[-500:].tolist()


def test_sums_are_exact_beyond_what_an_integer_of_the_machine_holds() -> None:
    n = 20_000
    found = cube.price_columns({"provider": "openai", "model": "m", "output_tokens": [10**15] * n}, RICH, now=NOW)
    assert found.models[0].counts == {"output_tokens": 10**15 * n}  # 2 x 10^19 > 2^63
    assert found.total == D(10**15 * n) * 10 / M


def test_one_word_stands_for_all_rows_and_columns_may_be_arrays() -> None:
    columns = {
        "provider": "openai", "model": np.array(["m", "m", "gpt-9"]),
        "input_tokens": np.array([M, M, 5], dtype=np.int32),
        "at": np.array(["2026-11-24T10:00", "NaT", "2026-11-24"], dtype="datetime64[s]"),
    }  # fmt: skip
    found = cube.price_columns(columns, RICH, now=NOW)
    assert (found.total, found.calls, found.unpriced) == (D(8), 3, 1)  # both over 200,000: x 4
    assert found.models[1].bounds == {("unpriced", "input_tokens"): 1}


def test_moments_may_be_text_dates_or_missing() -> None:
    columns = {
        "provider": "deepseek",
        "model": "d",
        "input_tokens": [M] * 3,
        "at": ["2026-11-24T02:00Z", None, at("2026-11-24T02:00")],
    }
    assert cube.price_columns(columns, RICH, now=NOW).total == D("0.75")  # 0.3 + 0.15 at noon + 0.3


def test_nothing_is_nothing() -> None:
    found = cube.price_columns({"model": []}, RICH, now=NOW)
    assert (found.total, found.calls, found.models) == (0, 0, ())


@pytest.mark.parametrize(
    ("columns", "field", "said"),
    [
        ({"provider": "openai"}, "model", "missing"),
        ({"model": ["m"], "input_tokens": [1, 2]}, "model", "has 1 rows, others 2"),
        ({"model": ["m"], "tokens": [1]}, "tokens", "no column of calls"),
        ({"model": ["m", "m"], "input_tokens": [1, -2]}, "input_tokens", "row 1: a count must be between 0 and 10"),
        ({"model": ["m"], "input_tokens": [10**15 + 1]}, "input_tokens", "row 0"),
        ({"model": ["m"], "input_tokens": [0.5]}, "input_tokens", "must be whole numbers"),
        ({"model": ["m"], "input_tokens": ["5"]}, "input_tokens", "must be whole numbers"),
        ({"model": ["m"], "input_tokens": [float("nan")]}, "input_tokens", "must be whole numbers"),
        ({"model": ["m"], "at": ["soon"]}, "at", "not a date"),
    ],
)
def test_a_broken_column_is_refused_by_name(columns: dict[str, Any], field: str, said: str) -> None:
    with pytest.raises(BadInput, match=said) as problem:
        cube.price_columns(columns, RICH, now=NOW)
    assert problem.value.field == field


def test_the_door_offers_it(shipped: PriceTable) -> None:
    columns = {"provider": "openai", "model": ["gpt-5-mini"] * 3, "input_tokens": [M, M, 0], "output_tokens": [0, 0, M]}
    found = cl.price_many(columns, shipped, now=NOW, amounts=True)
    # gpt-5-mini: 0.25 and 2 USD per million
    assert (found.total, found.calls, found.lower_bound) == (D("2.5"), 3, 0)
    assert found.amounts is not None
    assert found.amounts.tolist() == pytest.approx([0.25, 0.25, 2.0], rel=1e-14)
