"""What a call costs: which rate holds, on which date, under which conditions, and why a total is a lower bound."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from price_samples import NOW, M, at, bounds, call, cost, lines, rate, run_of, table, text_rates, why

from costlab.cost import Cost, price_call, price_run, rate_gone, run_counts, total_of
from costlab.prices import DOUBTFUL
from costlab.runs import Attempt, ModelCall, Part

D = Decimal
PEAK = "Mo-Fr 01:00-04:00,06:00-10:00"


def test_the_formula_is_leaf_times_rate() -> None:
    prices = table(*text_rates(), rate("cache_read_tokens", "0.5"))
    found = cost(prices, {"input_tokens": 10_000, "cache_read_tokens": 6_000, "output_tokens": 500})
    # 4,000 x 2 + 6,000 x 0.5 + 500 x 10 = 8,000 + 3,000 + 5,000 millionths
    assert found.total == D("0.016")
    assert found.by_unit() == {
        "input_tokens": D("0.008"), "cache_read_tokens": D("0.003"), "output_tokens": D("0.005"),
    }  # fmt: skip
    assert (found.bounds, found.unpriced, found.warnings) == ((), (), ())


def test_a_line_says_where_its_rate_came_from() -> None:
    line = cost(table(rate("input_tokens", "2", source_version="1.106.2")), {"input_tokens": 1}).lines[0]
    assert (line.provider, line.model, line.priced_as) == ("openai", "m", "input_tokens")
    assert (line.rate.source, line.rate.source_version, line.rate.read_at.isoformat()) == (
        "litellm", "1.106.2", "2026-11-20",
    )  # fmt: skip
    assert (line.usd_per_unit, line.amount) == (D("0.000002"), D("0.000002"))


# ---- free, unpriced, zero


def test_zero_is_nothing_used() -> None:
    nothing = cost(table(*text_rates()), {"input_tokens": 0})
    assert (nothing.lines, nothing.total, nothing.known, nothing.free, nothing.lower_bound) == ((), 0, 0, False, False)


def test_free_is_a_rate_of_zero_that_somebody_vouches_for() -> None:
    vouched = cost(table(*text_rates(input="0", output="0", layer="overrides")), {"input_tokens": 5})
    assert (vouched.total, vouched.free, vouched.lower_bound) == (0, True, False)
    confirmed = cost(table(*text_rates(input="0", output="0", note="free: both sources say so")), {"input_tokens": 5})
    assert (confirmed.free, confirmed.lower_bound) == (True, False)


def test_unpriced_is_neither() -> None:
    unknown = cost(table(*text_rates()), {"input_tokens": 5}, of="openai/gpt-9")
    assert (unknown.total, unknown.known, unknown.free, unknown.lower_bound) == (0, None, False, True)
    assert why(unknown) == {"input_tokens": "no model 'openai/gpt-9' in the price tables"}
    assert bounds(unknown) == [("unpriced", "input_tokens")]
    nameless = cost(table(*text_rates()), {"input_tokens": 5}, of="openai/")
    assert why(nameless) == {"input_tokens": "no model is named"}
    empty = cost(table(*text_rates()), {}, of="openai/gpt-9")
    assert bounds(empty) == [("unpriced", "")]  # without counts too, nothing is known of what it cost


def test_a_doubtful_zero_prices_nothing() -> None:
    doubt = f"{DOUBTFUL}: only litellm lists it"
    found = cost(table(*text_rates(input="0", note=doubt)), {"input_tokens": 5})
    assert why(found) == {"input_tokens": "source lists 0"}
    assert found.known is None
    # another source's price is a price
    rows = (*text_rates(input="0", note=doubt, source="genai-prices"), rate("input_tokens", "2"))
    assert cost(table(*rows), {"input_tokens": M}).total == D(2)
    # in a file of ours or the user's, a 0 vouches, whatever note an exported row carries
    ours = cost(table(*text_rates(input="0", note=doubt, layer="overrides")), {"input_tokens": 5})
    assert (ours.free, ours.unpriced) == (True, ())


def test_an_empty_price_removes_the_rate() -> None:
    prices = table(*text_rates()).edited([rate("output_tokens", None)])
    found = cost(prices, {"input_tokens": M, "output_tokens": M})
    assert (found.total, why(found)) == (D(2), {"output_tokens": "no rate for output_tokens"})


# ---- context tiers


TIERED = table(
    *text_rates(),
    rate("cache_read_tokens", "0.2"),
    *text_rates(input="4", output="15", input_over=200_000),
    rate("cache_read_tokens", "0.4", input_over=200_000),
)


def test_a_context_tier_is_a_cliff_for_all_tokens_of_the_call() -> None:  # pydantic/genai-prices#241
    # 200,000 x 2 + 1,000 x 10 = 410,000 millionths
    assert cost(TIERED, {"input_tokens": 200_000, "output_tokens": 1_000}).total == D("0.41")
    # 200,001 x 4 + 1,000 x 15 = 815,004 millionths: not 200,000 x 2 + 1 x 4
    assert cost(TIERED, {"input_tokens": 200_001, "output_tokens": 1_000}).total == D("0.815004")


def test_cached_tokens_count_towards_the_tier_and_move_with_it() -> None:
    found = cost(TIERED, {"input_tokens": 250_000, "cache_read_tokens": 240_000})
    # 10,000 x 4 + 240,000 x 0.4 = 40,000 + 96,000 millionths
    assert found.total == D("0.136")


def test_counts_without_their_total_are_completed_before_the_tier_is_chosen() -> None:
    assert cost(TIERED, {"cache_read_tokens": 200_001}).by_unit() == {"cache_read_tokens": D("0.0800004")}  # x 0.4


def test_a_tier_that_is_reached_is_written_one_less() -> None:  # xAI: at least 200,000
    xai = table(*text_rates("x-ai/g"), *text_rates("x-ai/g", "4", "20", input_over=199_999))
    assert [cost(xai, {"input_tokens": n}, of="x-ai/g").total for n in (199_999, 200_000)] == [D("0.399998"), D("0.8")]


def test_openais_tier() -> None:
    gpt = table(*text_rates(), *text_rates(input="4", output="15", input_over=272_000))
    assert [cost(gpt, {"input_tokens": n}).total for n in (272_000, 272_001)] == [D("0.544"), D("1.088004")]


def test_several_steps_each_have_their_own_price() -> None:  # Qwen
    qwen = table(
        *text_rates(input="1"), rate("input_tokens", "2", input_over=32_000),
        rate("input_tokens", "3", input_over=128_000), rate("input_tokens", "5", input_over=256_000),
    )  # fmt: skip
    sizes = (32_000, 32_001, 128_000, 128_001, 256_001)
    # x 1, x 2, x 2, x 3, x 5, in millionths
    assert [str(cost(qwen, {"input_tokens": n}).total) for n in sizes] == [
        "0.032", "0.064002", "0.256", "0.384003", "1.280005",
    ]  # fmt: skip


def test_a_tier_by_length_of_the_answer() -> None:  # GLM
    glm = table(*text_rates(), rate("output_tokens", "14", output_over=200), rate("input_tokens", "3", output_over=200))
    assert cost(glm, {"input_tokens": 1_000, "output_tokens": 200}).total == D("0.004")  # 1,000 x 2 + 200 x 10
    assert cost(glm, {"input_tokens": 1_000, "output_tokens": 201}).total == D("0.005814")  # 1,000 x 3 + 201 x 14


def test_the_tier_is_chosen_for_each_call_and_each_part_never_on_a_sum() -> None:
    two = run_of(call({"input_tokens": 150_000}), call({"input_tokens": 150_000}, call_id="c2"))
    assert price_run(two, TIERED, now=NOW).cost.total == D("0.6")  # 300,000 x 2 millionths
    parts = tuple(Part("openai", "m", {"input_tokens": 150_000}) for _ in range(2))
    whole = call({"input_tokens": 300_000}, parts=parts)
    assert price_call(whole, TIERED, now=NOW).total == D("0.6")
    assert price_call(replace(whole, parts=()), TIERED, now=NOW).total == D("1.2")  # x 4


def test_a_tier_without_a_row_is_a_lower_bound() -> None:
    priority = {"service_tier": "priority"}
    rows = (*text_rates(), rate("input_tokens", "4", input_over=200_000), rate("input_tokens", "5", when=priority))
    below = cost(table(*rows), {"input_tokens": 200_000}, service_tier="priority")
    above = cost(table(*rows), {"input_tokens": 200_001}, service_tier="priority")
    assert (below.total, bounds(below)) == (D(1), [])
    assert (above.total, bounds(above)) == (D("1.000005"), [("tier_rate_missing", "input_tokens")])
    full = table(*rows, rate("input_tokens", "9", when=priority, input_over=200_000))
    assert bounds(cost(full, {"input_tokens": 200_001}, service_tier="priority")) == []


def test_a_unit_left_at_the_base_price_above_a_tier_is_a_lower_bound() -> None:  # Helicone/helicone#5766
    rows = (*text_rates(), *text_rates(input="4", output="15", input_over=200_000), rate("cache_read_tokens", "0.2"))
    assert bounds(cost(table(*rows), {"input_tokens": 200_000, "cache_read_tokens": 100})) == []
    found = cost(table(*rows), {"input_tokens": 200_001, "cache_read_tokens": 100})
    assert bounds(found) == [("tier_rate_missing", "cache_read_tokens")]


def test_one_tier_written_in_two_ways_is_one_tier() -> None:
    rows = (
        *text_rates("x-ai/g"), rate("input_tokens", "4", of="x-ai/g", input_over=200_000),
        rate("input_tokens", "8", of="x-ai/g", input_over=199_999, when={"service_tier": "priority"}),
    )  # fmt: skip
    assert bounds(cost(table(*rows), {"input_tokens": 300_000}, of="x-ai/g", service_tier="priority")) == []


# ---- service tiers, batch, speed, region


TIERS = table(
    *text_rates(),
    rate("web_searches", "10"),
    *text_rates(input="1", output="5", when={"processing": "batch"}),
    *text_rates(input="1.5", output="6", when={"service_tier": "flex"}),
    *text_rates(input="4", output="20", when={"service_tier": "priority"}),
)


@pytest.mark.parametrize(
    ("tier", "input_usd"),
    [(None, 2), ("default", 2), ("batch", 1), ("flex", D("1.5")), ("priority", 4), ("fast", 4)],
)
def test_the_served_tier_decides(tier: str | None, input_usd: Decimal) -> None:
    found = cost(TIERS, {"input_tokens": M}, service_tier=tier)
    assert (found.total, found.bounds) == (D(input_usd), ())


def test_a_dearer_tier_without_a_rate_is_standard_with_a_bound() -> None:
    found = cost(TIERS, {"input_tokens": M}, service_tier="ultrafast")
    assert (found.total, bounds(found)) == (D(2), [("tier_rate_missing", "input_tokens")])
    plain = table(*text_rates())
    found = cost(plain, {"input_tokens": M, "cache_read_tokens": 5}, service_tier="priority")
    assert bounds(found) == [("tier_rate_missing", "input_tokens"), ("tier_rate_missing", "cache_read_tokens")]


def test_a_unit_left_at_the_price_of_no_region_is_a_lower_bound() -> None:  # Azure's cached input in data zones
    eu = {"region": "eu"}
    rows = (*text_rates(), rate("cache_read_tokens", "0.2"), rate("input_tokens", "2.2", when=eu))
    counts = {"input_tokens": M, "cache_read_tokens": M // 2, "output_tokens": M}
    found = cost(table(*rows), counts, when=eu)
    assert found.total == D("11.2")  # 0.5 x 2.2 + 0.5 x 0.2 + 10: output has no price of that region at all
    assert bounds(found) == [("tier_rate_missing", "cache_read_tokens")]
    assert bounds(cost(table(*rows), counts, when={"region": "us"})) == []  # no price of that region
    assert bounds(cost(table(*rows, rate("cache_read_tokens", "0.22", when=eu)), counts, when=eu)) == []


def test_a_cheaper_tier_without_a_rate_is_unpriced() -> None:
    plain = table(*text_rates())
    assert why(cost(plain, {"input_tokens": 5}, service_tier="flex")) == {"input_tokens": "no flex rate"}
    assert why(cost(plain, {"input_tokens": 5}, service_tier="batch")) == {"input_tokens": "no batch rate"}
    assert why(cost(TIERS, {"input_tokens": 5}, service_tier="balanced")) == {"input_tokens": "no balanced rate"}


def test_any_other_word_is_standard_with_a_bound() -> None:
    found = cost(TIERS, {"input_tokens": M, "web_searches": 1}, service_tier="scale")
    assert (found.total, bounds(found)) == (D("2.01"), [("tier_rate_missing", "input_tokens")])


def test_provisioned_throughput_is_not_billed_by_token() -> None:
    found = cost(TIERS, {"input_tokens": M}, service_tier="PROVISIONED_THROUGHPUT")
    assert (found.total, found.known, bounds(found)) == (0, None, [("unmetered", "input_tokens")])


def test_a_condition_named_with_the_call_means_the_same_word() -> None:
    assert cost(TIERS, {"input_tokens": M}, when={"service_tier": "fast"}).total == D(4)
    assert cost(TIERS, {"input_tokens": M}, when={"service_tier": "flex"}, service_tier="default").total == D("1.5")
    assert cost(TIERS, {"input_tokens": M}, when={"processing": "batch"}).total == D(1)
    assert bounds(cost(TIERS, {"input_tokens": M}, when={"service_tier": "scale"})) == [
        ("tier_rate_missing", "input_tokens")
    ]


def test_fees_of_a_batch_are_those_of_any_call() -> None:
    found = cost(TIERS, {"input_tokens": M, "web_searches": 3}, service_tier="batch")
    assert (found.by_unit(), found.bounds) == ({"input_tokens": D(1), "web_searches": D("0.03")}, ())


def test_cached_tokens_of_a_batch_without_a_cached_batch_price_are_batch_input() -> None:
    # OpenAI's older models have no cached price in batch; their batch input is half, as their cached input is
    prices = table(
        *text_rates(), rate("cache_read_tokens", "1"), rate("input_tokens", "1", when={"processing": "batch"})
    )
    found = cost(prices, {"input_tokens": M, "cache_read_tokens": M}, service_tier="batch")
    assert lines(found) == {"cache_read_tokens": (M, "input_tokens", "1")}


def test_batch_and_caching_multiply() -> None:
    prices = table(
        *text_rates("anthropic/c", "3", "15"),
        rate("input_tokens", "1.5", of="anthropic/c", when={"processing": "batch"}),
        write=lambda provider, model, ttl: D(2) if ttl == "1h" else D("1.25"),
    )
    counts = {"cache_write_5m_tokens": M, "cache_write_1h_tokens": M}
    assert cost(prices, counts, of="anthropic/c", service_tier="batch").by_unit() == {
        "cache_write_5m_tokens": D("1.875"),  # 1.25 x 1.5
        "cache_write_1h_tokens": D(3),  # 2 x 1.5
    }


def test_speed() -> None:
    fast = {"speed": "fast"}
    prices = table(*text_rates(), rate("input_tokens", "12", when=fast))
    assert cost(prices, {"input_tokens": M}, when=fast).total == D(12)
    missing = cost(prices, {"output_tokens": M}, when=fast)
    assert (missing.total, bounds(missing)) == (D(10), [("tier_rate_missing", "output_tokens")])
    assert bounds(cost(prices, {"output_tokens": M}, when={"speed": "standard"})) == []


def test_region_and_both_together() -> None:
    prices = table(
        *text_rates(), rate("input_tokens", "2.2", when={"region": "us"}),
        rate("input_tokens", "1.1", when={"region": "us", "processing": "batch"}),
        rate("input_tokens", "1", when={"processing": "batch"}),
    )  # fmt: skip
    assert cost(prices, {"input_tokens": M}, when={"region": "us"}).total == D("2.2")
    assert cost(prices, {"input_tokens": M}, when={"region": "us"}, service_tier="batch").total == D("1.1")
    assert cost(prices, {"input_tokens": M}, when={"region": "eu"}, service_tier="batch").total == D(1)
    assert cost(prices, {"input_tokens": M}).total == D(2)


def test_parts_are_priced_each_by_its_own_model_and_tier() -> None:
    prices = table(*text_rates("anthropic/small", "1", "5"), *text_rates("anthropic/big", "5", "25"))
    parts = (
        Part("anthropic", "small", {"input_tokens": 1_000, "output_tokens": 100}, "standard"),
        Part("anthropic", "big", {"input_tokens": 2_000, "output_tokens": 10}, "priority"),
    )
    whole = call({"input_tokens": 3_000, "output_tokens": 110}, of="anthropic/small", parts=parts)
    found = price_call(whole, prices, now=NOW)
    # 1,000 x 1 + 100 x 5 + 2,000 x 5 + 10 x 25 = 1,000 + 500 + 10,000 + 250 millionths
    assert found.total == D("0.01175")
    assert [(x.model, x.unit) for x in found.lines] == [
        ("small", "input_tokens"), ("small", "output_tokens"), ("big", "input_tokens"), ("big", "output_tokens"),
    ]  # fmt: skip
    assert bounds(found) == [("tier_rate_missing", "input_tokens"), ("tier_rate_missing", "output_tokens")]


# ---- time of day, dates, two figures


DEEPSEEK = table(
    *text_rates("deepseek/d", "0.15", "0.6"), *text_rates("deepseek/d", "0.3", "1.2", windows=PEAK)
)  # fmt: skip


@pytest.mark.parametrize(
    ("moment", "usd"),
    [
        ("2026-11-24T00:59", "0.15"), ("2026-11-24T01:00", "0.3"), ("2026-11-24T03:59", "0.3"),
        ("2026-11-24T04:00", "0.15"), ("2026-11-28T02:00", "0.15"), ("2026-11-27T09:59", "0.3"),
    ],
)  # fmt: skip
def test_the_hour_of_the_call_decides(moment: str, usd: str) -> None:
    assert cost(DEEPSEEK, {"input_tokens": M}, of="deepseek/d", when_at=moment).total == D(usd)


def test_the_hour_is_utc_wherever_the_call_was_made() -> None:
    beijing = datetime(2026, 11, 24, 9, tzinfo=timezone(timedelta(hours=8)))  # 01:00 UTC: peak
    assert cost(DEEPSEEK, {"input_tokens": M}, of="deepseek/d", started_at=beijing).total == D("0.3")
    naive = datetime(2026, 11, 24, 1)  # noqa: DTZ001 - a recording without a zone is read as UTC
    assert cost(DEEPSEEK, {"input_tokens": M}, of="deepseek/d", started_at=naive).total == D("0.3")


DATED = table(
    *text_rates(input="3", valid_to="2026-10-07"),
    *text_rates(input="2", valid_from="2026-10-07", valid_to="2026-12-01"),
    *text_rates(input="4", valid_from="2026-12-01"),
)


def test_the_date_of_the_call_decides() -> None:  # mozilla-ai/any-llm#995
    moments = ("2026-10-06T23:59", "2026-10-07T00:00", "2026-11-30T23:59", "2026-12-01T00:00")
    assert [cost(DATED, {"input_tokens": M}, when_at=m).total for m in moments] == [D(3), D(2), D(2), D(4)]


def test_the_same_call_at_two_dates_has_two_figures() -> None:
    old = call({"input_tokens": M}, when_at="2026-01-05T10:00")
    assert price_call(old, DATED, now=NOW).total == D(3)
    assert price_call(old, DATED, now=NOW, day=NOW).total == D(2)  # at the prices of 2026-11-24


def test_without_a_date_a_call_is_priced_today() -> None:
    assert cost(DATED, {"input_tokens": M}).total == D(2)
    assert price_call(call({"input_tokens": M}), DATED, now=at("2026-12-05")).total == D(4)


def test_todays_prices_keep_the_weekday_and_hour_of_the_call() -> None:
    peak = call({"input_tokens": M}, of="deepseek/d", when_at="2026-11-24T02:00")
    for now in ("2026-11-28T12:00", "2026-11-29T02:00", "2026-12-01T05:00"):
        assert price_call(peak, DEEPSEEK, now=at(now), day=at(now)).total == D("0.3")


def test_a_price_without_a_date_is_unproven_before_the_day_it_was_read() -> None:
    undated = table(rate("input_tokens", "2"))  # read on 2026-11-20
    early = cost(undated, {"input_tokens": 1}, when_at="2026-11-19T23:59")
    late = cost(undated, {"input_tokens": 1}, when_at="2026-11-20T00:00")
    assert [found.lines[0].date_unproven for found in (early, late)] == [True, False]
    dated = table(rate("input_tokens", "2", valid_from="2026-01-01"))
    assert cost(dated, {"input_tokens": 1}, when_at="2026-02-01").lines[0].date_unproven is False


def test_a_model_without_a_rate_yet_takes_its_earliest_and_says_so() -> None:
    prices = table(
        *text_rates(input="3", valid_from="2026-06-01", valid_to="2026-10-07"),
        *text_rates(input="2", valid_from="2026-10-07"),
    )
    found = cost(prices, {"input_tokens": M}, when_at="2026-05-31T23:59")
    assert (found.total, found.lines[0].date_unproven) == (D(3), True)
    assert [(w.code, w.field, w.detail) for w in found.warnings] == [
        ("before_first_price", "at", "priced with the first known rates, from 2026-06-01")
    ]
    there = cost(prices, {"input_tokens": M}, when_at="2026-06-01T00:00")
    assert (there.total, there.lines[0].date_unproven, there.warnings) == (D(3), False, ())


def test_an_undated_fee_does_not_hide_that_tokens_have_no_price_yet() -> None:
    prices = table(*text_rates(input="3", valid_from="2026-06-01"), rate("web_searches", "10"))
    found = cost(prices, {"input_tokens": M, "web_searches": 1}, when_at="2026-05-01")
    assert found.total == D("3.01")
    assert [w.code for w in found.warnings] == ["before_first_price"]


def test_a_price_that_ended_is_not_carried_on() -> None:
    ended = table(*text_rates(valid_to="2026-10-01"))
    then = call({"input_tokens": M}, when_at="2026-09-30")
    old, today = price_call(then, ended, now=NOW), price_call(then, ended, now=NOW, day=NOW)
    assert (old.total, today.total, why(today)) == (D(2), 0, {"input_tokens": "no rate for input_tokens"})
    assert rate_gone(old, today)
    assert not rate_gone(old, old)


def test_a_unit_that_never_had_a_rate_is_not_gone() -> None:
    found = cost(table(*text_rates()), {"input_tokens": 5, "web_searches": 1})
    assert not rate_gone(found, found)
    # one inference without a price does not make another's price gone
    parts = (Part("openai", "unknown", {"input_tokens": 5}), Part("openai", "m", {"input_tokens": 5}))
    mixed = price_call(call({"input_tokens": 10}, parts=parts), table(*text_rates()), now=NOW)
    assert not rate_gone(mixed, mixed)


# ---- currencies


def test_another_currency_is_unpriced_without_a_stated_rate() -> None:
    yuan = table(rate("input_tokens", "14", currency="CNY"), rate("output_tokens", "10"))
    found = cost(yuan, {"input_tokens": M, "output_tokens": M})
    assert (found.total, why(found)) == (D(10), {"input_tokens": "priced in CNY, no exchange rate stated"})


def test_a_unit_in_another_currency_takes_no_ancestors_price() -> None:
    mixed = table(*text_rates(), rate("cache_read_tokens", "0.7", currency="CNY"))
    assert why(cost(mixed, {"cache_read_tokens": M})) == {"cache_read_tokens": "priced in CNY, no exchange rate stated"}


def test_of_one_price_in_two_currencies_ours_counts_unless_the_user_says_otherwise() -> None:
    both = table(rate("input_tokens", "14", currency="CNY"), rate("input_tokens", "2"))
    assert cost(both, {"input_tokens": M}).total == D(2)
    users = both.edited([rate("input_tokens", "13", currency="CNY")])
    assert why(cost(users, {"input_tokens": M})) == {"input_tokens": "priced in CNY, no exchange rate stated"}


# ---- fees by call


def test_fees_by_call_are_counted_and_not_tokens() -> None:
    prices = table(*text_rates(), rate("web_searches", "10"), rate("code_executions", "5"))
    found = cost(prices, {"input_tokens": 1_000, "web_searches": 3, "code_executions": 2})
    assert found.by_unit() == {"input_tokens": D("0.002"), "web_searches": D("0.03"), "code_executions": D("0.01")}


def test_a_search_by_context_size_needs_its_size() -> None:
    prices = table(
        *text_rates(),
        *(rate("web_searches", p, when={"search_context_size": s}) for s, p in (("low", "5"), ("high", "12"))),
    )
    assert cost(prices, {"web_searches": 1}, when={"search_context_size": "high"}).total == D("0.012")
    assert why(cost(prices, {"web_searches": 1}, when={"search_context_size": "medium"})) == {
        "web_searches": "no rate for web_searches"
    }


REQUESTS = table(
    *text_rates("perplexity/s", "1", "1"),
    *(
        rate("requests", p, of="perplexity/s", when={"search_context_size": s})
        for s, p in (("low", "5"), ("high", "12"))
    ),
)


def test_the_request_itself_costs_where_the_model_says_so() -> None:
    found = cost(REQUESTS, {"input_tokens": 1_000}, of="perplexity/s", when={"search_context_size": "low"})
    assert found.by_unit() == {"requests": D("0.005"), "input_tokens": D("0.001")}
    counted = cost(REQUESTS, {"requests": 3}, of="perplexity/s", when={"search_context_size": "high"})
    assert counted.total == D("0.036")  # a count that is there is kept
    assert "requests" not in cost(table(*text_rates()), {"input_tokens": 1}).by_unit()


def test_a_fee_whose_condition_is_not_known_is_named() -> None:
    found = cost(REQUESTS, {"input_tokens": 1_000}, of="perplexity/s")
    assert (found.total, bounds(found)) == (D("0.001"), [("unpriced", "requests")])


def test_a_request_is_paid_once_however_many_inferences_it_has() -> None:
    parts = (Part("perplexity", "s", {"input_tokens": 500}),) * 2
    whole = call({"input_tokens": 1_000}, of="perplexity/s", parts=parts, when={"search_context_size": "low"})
    assert price_call(whole, REQUESTS, now=NOW).by_unit() == {"requests": D("0.005"), "input_tokens": D("0.001")}


@pytest.mark.parametrize("status", ["error", "cut"])
def test_a_failed_request_has_no_fee_of_its_own(status: str) -> None:
    found = cost(REQUESTS, {}, of="perplexity/s", when={"search_context_size": "low"}, status=status)
    assert found.total == 0


# ---- what ran at home


@pytest.mark.parametrize("provider", ["local", "ollama", "llama.cpp", "vllm", "lmstudio"])
def test_a_local_model_is_free_and_says_why(provider: str) -> None:
    found = cost(table(*text_rates()), {"input_tokens": 5, "output_tokens": 2}, of=f"{provider}/qwen3")
    assert (found.total, found.free, found.lower_bound) == (0, True, False)
    assert {x.rate.note for x in found.lines} == {"ran locally, not billed"}


def test_a_hosted_model_behind_a_local_server_is_not_local() -> None:
    found = cost(table(*text_rates()), {"input_tokens": 5}, of="ollama/gpt-oss:120b-cloud")
    assert (found.known, found.free) == (None, False)


def test_a_users_own_price_for_a_local_model_counts() -> None:
    priced = table(*text_rates()).edited(text_rates("local/qwen3", "0.1", "0.2"))
    assert cost(priced, {"input_tokens": M}, of="local/qwen3").total == D("0.1")


# ---- bounds that lie in the call


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"status": "cut"}, [("cut", "")]),
        ({"status": "running"}, [("cut", "")]),
        ({"status": "cut", "bounds": ("cut:output_tokens",)}, [("cut", "output_tokens")]),
        ({"usage_basis": "unknown"}, [("unmetered", "")]),
        ({"bounds": ("unmetered:input_tokens", "placeholder_output:output_tokens")},
         [("unmetered", "input_tokens"), ("placeholder_output", "output_tokens")]),
        ({"attempts": (Attempt(error="connection lost"), Attempt(status=200))}, [("maybe_billed", "")]),
        ({"attempts": (Attempt(error="connection lost", billed="no"), Attempt(status=200))}, []),
        ({"attempts": (Attempt(status=429, error="too many"), Attempt(status=200))}, []),
        ({"attempts": (Attempt(status=500, error="broken"), Attempt(status=200))}, []),
        ({"status": "error"}, []),
    ],
)  # fmt: skip
def test_bounds_of_the_call_itself(more: dict[str, object], expected: list[tuple[str, str]]) -> None:
    assert bounds(cost(table(*text_rates()), {"input_tokens": 5}, **more)) == expected


# ---- sums


def test_costs_add_up() -> None:
    one = cost(table(*text_rates()), {"input_tokens": M})
    two = cost(table(*text_rates()), {"output_tokens": 5, "web_searches": 1})
    both = one + two
    assert (both.total, both.bounds, both.unpriced) == (one.total + two.total, two.bounds, two.unpriced)
    assert total_of([]) == Cost()


def test_calls_of_the_same_id_are_all_counted() -> None:
    run = run_of(*(call({"input_tokens": M}, call_id="") for _ in range(3)))
    priced = price_run(run, table(*text_rates()), now=NOW)
    assert priced.cost.total == D(6)
    assert priced.by_call[""].total == D(6)
    assert [priced.of_step(i).total for i in range(3)] == [D(2), D(2), D(2)]


def test_what_another_run_already_holds_is_not_summed() -> None:
    run = run_of(call({"input_tokens": M}), call({"input_tokens": M}, call_id="c2", inherited_from="r0"))
    priced = price_run(run, table(*text_rates()), now=NOW)
    assert (priced.cost.total, set(priced.by_call), priced.of_step(1).total) == (D(2), {"c1"}, 0)
    assert run_counts(run) == {"input_tokens": M}


def test_warnings_of_the_call_and_of_its_counts_are_kept() -> None:
    found = cost(table(*text_rates()), {"input_tokens": 5, "cache_read_tokens": 7})
    assert [w.code for w in found.warnings] == ["parts_exceed_total"]


def test_now_is_only_a_stand_in() -> None:
    dated = ModelCall("c", "openai", "m", {"input_tokens": M}, started_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert price_call(dated, DATED, now=at("2030-01-01")).total == D(3)
