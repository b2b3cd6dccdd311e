"""Laws of money over any counts, any price table and the shipped one (hypothesis)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from price_samples import NOW, READ, claude, run_of, table

from costlab.cost import Cost, price_call, price_run, total_of
from costlab.prices import PriceBook, PriceTable, Rate, parse_windows
from costlab.runs import ModelCall, Part
from costlab.usage import add, leaves, token_side, unit, units

TOKENS = sorted(k for k in units() if token_side(k))
OTHERS = ("web_searches", "code_executions", "requests", "output_images", "input_document_pages")
USUAL = (
    "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_5m_tokens",
    "cache_write_1h_tokens", "output_reasoning_tokens", "input_image_tokens", "input_audio_tokens",
    "cache_audio_read_tokens", "web_searches",
)  # fmt: skip
SIZES = st.integers(0, 300_000) | st.sampled_from([199_999, 200_000, 200_001, 272_000, 272_001])
COUNTS = st.dictionaries(st.sampled_from(USUAL), SIZES, max_size=6)
ANY_COUNTS = st.dictionaries(st.sampled_from([*TOKENS, *OTHERS]), st.integers(0, 10**9), max_size=10)
MOMENTS = st.datetimes(datetime(2026, 6, 1), datetime(2027, 1, 31)).map(lambda d: d.replace(tzinfo=UTC))  # noqa: DTZ001
PRICES = st.decimals("0", "100", places=4)
TIERS = st.sampled_from([None, "default", "priority", "flex", "batch", "scale"])
DATES = (None, "2026-08-16", "2026-10-07", "2026-12-01")
WINDOWS = (None, "Mo-Fr 01:00-04:00,06:00-10:00", "16:30-24:00")
WHENS = ((), (("service_tier", "priority"),), (("processing", "batch"),), (("region", "us"),))
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def rates(draw: st.DrawFn, provider: str = "anthropic", model: str = "m") -> Rate:
    key = draw(st.sampled_from(USUAL))
    start, end = sorted(draw(st.tuples(st.sampled_from(DATES), st.sampled_from(DATES))), key=lambda d: d or "")
    day = lambda text: datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None  # noqa: E731
    windows = draw(st.sampled_from(WINDOWS))
    return Rate(
        provider, model, key, draw(PRICES), unit(key).per,
        when=draw(st.sampled_from(WHENS)),
        input_over=draw(st.sampled_from([None, None, 199_999, 200_000, 272_000])),
        valid_from=day(start), valid_to=day(end) if end != start else None,
        utc_windows=parse_windows(windows) if windows else None,
        source=draw(st.sampled_from(["litellm", "genai-prices"])), read_at=READ,
        layer=draw(st.sampled_from(["catalog", "corrections", "overrides"])),
    )  # fmt: skip


TABLES = st.lists(rates(), max_size=12).map(lambda rows: table(*rows, write=claude))


@st.composite
def calls(draw: st.DrawFn) -> ModelCall:
    counts = draw(COUNTS)
    return ModelCall(
        draw(st.text("abc", min_size=1, max_size=3)), "anthropic", draw(st.sampled_from(["m", "m", "m", "unknown"])),
        counts, service_tier=draw(TIERS), started_at=draw(st.none() | MOMENTS),
        when=draw(st.sampled_from([{}, {"region": "us"}, {"processing": "batch"}])),
        parts=(Part("anthropic", "m", counts), Part("anthropic", "m", draw(COUNTS))) if draw(st.booleans()) else (),
    )  # fmt: skip


@settings(deadline=None)
@given(ANY_COUNTS)
def test_leaves_sum_to_the_inclusive_totals_and_are_never_negative(counts: dict[str, int]) -> None:
    found, _ = leaves(counts)
    assert all(n > 0 for n in found.values())
    for side in ("input", "output"):
        inside = [k for k in counts if token_side(k) == side]
        total = sum(n for k, n in found.items() if token_side(k) == side)
        assert total >= max((counts[k] for k in inside), default=0)  # no part is larger than its whole
        if counts.get(f"{side}_tokens", 0) >= sum(counts[k] for k in inside if k != f"{side}_tokens"):
            assert total == counts.get(f"{side}_tokens", 0)  # a total that can hold its parts is kept


@settings(deadline=None)
@given(ANY_COUNTS)
def test_every_inclusive_count_is_the_sum_of_the_leaves_within_it(counts: dict[str, int]) -> None:
    found, notes = leaves(counts)
    if not notes:
        for key, n in counts.items():
            inside = sum(v for k, v in found.items() if k == key or unit(key).contains(unit(k)))
            assert inside >= n


@quick
@given(st.lists(calls(), max_size=5), TABLES)
def test_cost_is_additive_over_calls(several: list[ModelCall], prices: PriceTable) -> None:
    each = [price_call(c, prices, now=NOW) for c in several]
    whole = price_run(run_of(*several), prices, now=NOW).cost
    assert whole == total_of(each)  # and a shared book gives what a fresh one gives, whatever was asked before
    assert whole.total == sum((c.total for c in each), Decimal(0))
    half = len(each) // 2
    assert (total_of(each[:half]) + total_of(each[half:])).total == whole.total


@quick
@given(calls(), TABLES)
def test_money_is_exact(call: ModelCall, prices: PriceTable) -> None:
    found = price_call(call, prices, now=NOW)
    exact = sum(
        (Fraction(x.rate.price) * Fraction(x.multiple) * x.quantity / x.rate.per for x in found.lines), Fraction(0)
    )
    assert Fraction(found.total) == exact
    assert found.total == sum(found.by_unit().values(), Decimal(0))


@quick
@given(calls(), TABLES)
def test_every_leaf_is_a_line_or_named(call: ModelCall, prices: PriceTable) -> None:
    found = price_call(call, prices, now=NOW)
    parts = [p.counts for p in call.parts] or [call.counts]
    leaf = add(leaves(counts)[0] for counts in parts)
    priced = add({x.unit: x.quantity} for x in (*found.lines, *found.unpriced))
    assert {k: n for k, n in priced.items() if k != "requests" or k in leaf} == leaf
    assert {b.unit for b in found.bounds if b.reason == "unpriced"} - {""} == {u.unit for u in found.unpriced}
    assert all(line.amount >= 0 for line in found.lines)


UPWARD = st.lists(rates(), min_size=1, max_size=8)


def rising(rows: list[Rate]) -> list[Rate]:
    """The same rows, with context tiers that cost no less than what they follow: a flat price and tiers above it."""
    flat = [replace(r, input_over=None, when=(), utc_windows=None, valid_from=None, valid_to=None) for r in rows]
    prices = {r.unit: r.price for r in flat}
    unique = [
        replace(r, price=prices[r.unit], source="litellm", layer="catalog") for r in {r.unit: r for r in flat}.values()
    ]
    return unique + [replace(r, price=Decimal(r.price or 0) * 2, input_over=200_000) for r in unique]


@quick
@given(UPWARD, COUNTS, st.sampled_from(["input_tokens", "output_tokens", "web_searches"]), st.integers(1, 100_000))
def test_more_of_anything_costs_no_less(rows: list[Rate], counts: dict[str, int], more: str, n: int) -> None:
    prices = table(*rising(rows), write=claude)
    less = {"input_tokens": 0, "output_tokens": 0, **counts}
    if leaves(less)[1]:  # counts that contradict each other are repaired, and more of one part may mend them
        less = leaves(less)[0]
    before = price_call(ModelCall("c", "anthropic", "m", less), prices, now=NOW)
    after = price_call(ModelCall("c", "anthropic", "m", {**less, more: less.get(more, 0) + n}), prices, now=NOW)
    assert after.total >= before.total


@quick
@given(st.lists(rates(), min_size=1, max_size=8), calls(), st.data())
def test_a_higher_rate_costs_no_less(rows: list[Rate], call: ModelCall, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(rows) - 1))
    raised = [replace(r, price=Decimal(r.price or 0) + 1) if i == index else r for i, r in enumerate(rows)]
    before = price_call(call, table(*rows, write=claude), now=NOW)
    after = price_call(call, table(*raised, write=claude), now=NOW)
    assert after.total >= before.total
    assert [(x.unit, x.quantity) for x in after.lines] == [(x.unit, x.quantity) for x in before.lines]


@quick
@given(TABLES, COUNTS, rates("mine", "new"))
def test_an_edit_of_another_model_changes_nothing(prices: PriceTable, counts: dict[str, int], row: Rate) -> None:
    call = ModelCall("c", "anthropic", "m", counts)
    assert price_call(call, prices.edited([row]), now=NOW) == price_call(call, prices, now=NOW)


@pytest.mark.slow
def test_an_edit_of_the_shipped_table_changes_only_what_it_names(shipped: PriceTable) -> None:
    names = sorted(shipped.rates)
    edited_model = ("openai", "gpt-5-mini")
    row = Rate(*edited_model, "input_tokens", Decimal(99), 1_000_000, source="user")
    edited = shipped.edited([row])
    before, after = PriceBook(shipped), PriceBook(edited)
    for provider, model in names:
        counts = {r.unit: 7 for r in shipped.rates[provider, model]}
        call = ModelCall("c", provider, model, counts)
        was, now = price_call(call, before, now=NOW), price_call(call, after, now=NOW)
        if (provider, model) != edited_model:
            assert now == was, (provider, model)
    call = ModelCall("c", *edited_model, {"input_tokens": 10, "cache_read_tokens": 4, "output_tokens": 3})
    was, now = (price_call(call, t, now=NOW).by_unit() for t in (shipped, edited))
    assert now["input_tokens"] == Decimal("0.000594")  # 6 x 99 millionths
    assert {k: v for k, v in now.items() if k != "input_tokens"} == {
        k: v for k, v in was.items() if k != "input_tokens"
    }


@quick
@given(TABLES, calls(), st.lists(MOMENTS, min_size=2, max_size=4))
def test_todays_figure_does_not_change_with_the_clock(
    prices: PriceTable, call: ModelCall, nows: list[datetime]
) -> None:
    dated = replace(call, started_at=call.started_at or NOW)
    epochs: dict[int, set[Decimal]] = {}
    for now in nows:
        days = [d for d in DATES if d is not None and datetime.fromisoformat(d).replace(tzinfo=UTC) <= now]
        found = price_call(dated, prices, now=now, day=now)
        epochs.setdefault(len(days), set()).add(found.total)
    assert all(len(figures) == 1 for figures in epochs.values())


@quick
@given(TABLES, calls(), st.integers(0, 59))
def test_seconds_within_a_minute_change_nothing(prices: PriceTable, call: ModelCall, seconds: int) -> None:
    at = (call.started_at or NOW).replace(second=0, microsecond=0)
    first, later = (replace(call, started_at=at + timedelta(seconds=s)) for s in (0, seconds))
    assert price_call(first, prices, now=NOW).total == price_call(later, prices, now=NOW).total


def test_nothing_costs_nothing() -> None:
    assert price_run(run_of(), table(), now=NOW).cost == Cost()
