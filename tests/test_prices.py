"""Rates and tables: windows and dates, tier words, layers that replace each other, which row wins, edits."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise

import pytest
from price_samples import NOW, at, rate, table, text_rates

from costlab.errors import BadInput
from costlab.prices import (
    Conditions,
    Edges,
    ModelRates,
    PriceBook,
    Rate,
    call_moment,
    edges,
    matches,
    parse_moment,
    parse_windows,
    precedence,
    tier_context,
)

DEEPSEEK_PEAK = "Mo-Fr 01:00-04:00,06:00-10:00"  # api-docs.deepseek.com/quick_start/pricing, since 2026-08-16


@pytest.mark.parametrize(
    ("moment", "peak"),
    [
        ("2026-11-24T00:59", False),  # a Tuesday
        ("2026-11-24T01:00", True),  # half-open: the first minute is in
        ("2026-11-24T03:59", True),
        ("2026-11-24T04:00", False),  # and the last is out
        ("2026-11-24T05:59", False),
        ("2026-11-24T06:00", True),
        ("2026-11-24T09:59", True),
        ("2026-11-24T10:00", False),
        ("2026-11-22T02:00", False),  # Sunday
        ("2026-11-23T00:00", False),  # Monday, before the first window
        ("2026-11-23T01:00", True),  # Monday
        ("2026-11-27T03:59", True),  # Friday
        ("2026-11-28T01:00", False),  # Saturday
    ],
)
def test_windows_are_half_open_and_know_weekdays(moment: str, peak: bool) -> None:
    assert parse_windows(DEEPSEEK_PEAK).hold(at(moment)) is peak


def test_windows_may_have_several_parts_and_whole_days() -> None:
    off = parse_windows("Mo-Fr 00:00-01:00,04:00-06:00,10:00-24:00|Sa-Su 00:00-24:00")
    peak = parse_windows(DEEPSEEK_PEAK)
    week = [at("2026-11-23") + timedelta(minutes=m) for m in range(7 * 1440)]
    assert all(off.hold(m) != peak.hold(m) for m in week)  # every minute of the week is one or the other
    assert parse_windows("16:30-24:00").hold(at("2026-11-28T23:59"))  # no day named: all of them


def test_days_may_go_round_the_week() -> None:
    round_the_week = parse_windows("Sa-Mo 00:00-24:00")
    days = [round_the_week.hold(at("2026-11-23T12:00") + timedelta(days=d)) for d in range(7)]
    assert days == [True, False, False, False, False, True, True]


@pytest.mark.parametrize(
    "text",
    ["", "Mo", "01:00", "Mo-Fr", "Mo-Fr 1:00-2:00", "Xx 01:00-02:00", "04:00-01:00", "01:00-01:00", "24:30-25:00",
     "01:60-02:00", "Mo-Fr 01:00-04:00;06:00-10:00"],
)  # fmt: skip
def test_a_broken_window_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as problem:
        parse_windows(text)
    assert problem.value.field == "utc_windows"


def test_a_bound_of_validity_is_midnight_and_a_call_on_a_bare_date_is_noon() -> None:
    assert parse_moment("2026-10-07", "valid_from") == datetime(2026, 10, 7, 0, 0, tzinfo=UTC)
    assert parse_moment("2026-08-16T16:00:00Z", "valid_from") == datetime(2026, 8, 16, 16, tzinfo=UTC)
    assert call_moment("2026-10-07") == call_moment(date(2026, 10, 7)) == datetime(2026, 10, 7, 12, tzinfo=UTC)
    assert call_moment(" 2026-10-07T01:30:00+02:00 ") == datetime(2026, 10, 6, 23, 30, tzinfo=UTC)
    assert call_moment(datetime(2026, 10, 7, 1)) == datetime(2026, 10, 7, 1, tzinfo=UTC)  # noqa: DTZ001 - none: UTC
    with pytest.raises(BadInput) as problem:
        call_moment("yesterday")
    assert problem.value.field == "at"


def test_validity_is_from_inclusive_to_exclusive() -> None:
    row = rate("input_tokens", "1", valid_from="2026-10-07", valid_to="2026-11-01")
    moments = ("2026-10-06T23:59", "2026-10-07T00:00", "2026-10-31T23:59", "2026-11-01T00:00")
    assert [row.valid(at(m)) for m in moments] == [False, True, True, False]
    assert rate("input_tokens", "1").valid(at("1990-01-01"))  # empty: open on both sides


@pytest.mark.parametrize(
    ("word", "when", "bound"),
    [
        (None, (), None),
        ("", (), None),
        ("default", (), None),
        ("STANDARD", (), None),
        ("on_demand", (), None),
        ("auto", (), None),
        ("provisioned", (), None),  # OpenRouter's word
        ("priority", (("service_tier", "priority"),), None),
        ("fast", (("service_tier", "priority"),), None),
        ("ultrafast", (("service_tier", "ultrafast"),), None),
        ("flex", (("service_tier", "flex"),), None),
        ("balanced", (("service_tier", "balanced"),), None),
        ("batch", (("processing", "batch"),), None),
        ("PROVISIONED_THROUGHPUT", (), "unmetered"),  # Vertex: bought by time
        ("scale", (), "tier_rate_missing"),  # any other word
    ],
)
def test_one_map_of_tier_words(word: str | None, when: tuple[tuple[str, str], ...], bound: str | None) -> None:
    assert tier_context(word) == (when, bound)


def prices_on(day: str, *rows: Rate) -> list[str]:
    return sorted(str(r.price) for r in ModelRates("openai", "m", rows).in_force(at(day)))


def test_a_later_layer_replaces_its_group_while_it_is_valid() -> None:
    shipped = rate("input_tokens", "2")
    other_source = rate("input_tokens", "3", source="genai-prices", valid_from="2026-01-01")
    tier = rate("input_tokens", "4", input_over=200_000)
    ours = rate("input_tokens", "1.5", layer="corrections", valid_from="2026-06-01", valid_to="2026-09-01")
    users = rate("input_tokens", "9", layer="overrides", valid_from="2026-08-01")
    rows = (shipped, other_source, tier, ours, users)
    assert prices_on("2025-12-31", *rows) == ["2", "4"]
    assert prices_on("2026-05-31", *rows) == ["2", "3", "4"]  # sources of one layer stay beside each other
    assert prices_on("2026-06-01", *rows) == ["1.5", "4"]  # whatever the dates and source of what is replaced
    assert prices_on("2026-08-01", *rows) == ["4", "9"]
    assert prices_on("2026-09-01", *rows) == ["4", "9"]


def test_a_group_is_unit_currency_conditions_and_context_tiers() -> None:
    users = rate("input_tokens", "9", layer="overrides")
    rows = [
        rate("input_tokens", "2", windows=DEEPSEEK_PEAK),  # replaced: windows are no part of the group
        rate("input_tokens", "3", input_over=1),
        rate("input_tokens", "4", output_over=1),
        rate("input_tokens", "5", currency="CNY"),
        rate("input_tokens", "6", when={"processing": "batch"}),
        rate("output_tokens", "7"),
    ]
    assert prices_on("2026-11-24", *rows, users) == ["3", "4", "5", "6", "7", "9"]


def test_an_empty_price_removes_and_later_rows_come_back() -> None:
    rows = (rate("input_tokens", "2"), rate("input_tokens", None, layer="overrides", valid_to="2026-10-01"))
    assert prices_on("2026-09-30", *rows) == []
    assert prices_on("2026-10-01", *rows) == ["2"]


def test_matching_conditions_and_both_sides_of_a_context_tier() -> None:
    over = rate("input_tokens", "4", input_over=200_000)
    written = rate("input_tokens", "4", input_over=199_999)  # 'reaches 200,000'
    long_answer = rate("output_tokens", "4", output_over=1_000)
    for size, held in ((199_999, [False, False]), (200_000, [False, True]), (200_001, [True, True])):
        c = Conditions(NOW, NOW, input_total=size)
        assert [matches(over, c), matches(written, c)] == held
    assert [matches(long_answer, Conditions(NOW, NOW, output_total=n)) for n in (1_000, 1_001)] == [False, True]
    batch = rate("input_tokens", "1", when={"processing": "batch", "region": "us"})
    assert not matches(batch, Conditions(NOW, NOW, when=(("processing", "batch"),)))
    assert matches(batch, Conditions(NOW, NOW, when=(("processing", "batch"), ("region", "us"), ("speed", "fast"))))


def test_which_row_wins() -> None:
    rising = [
        rate("input_tokens", "1"),
        rate("input_tokens", "1", source="genai-prices"),  # the preferred source
        rate("input_tokens", "1", source="user", layer="session"),
        rate("input_tokens", "2", valid_from="2026-01-01"),
        rate("input_tokens", "2", valid_from="2026-02-01"),
        rate("input_tokens", "3", windows=DEEPSEEK_PEAK),
        rate("input_tokens", "4", output_over=5),
        rate("input_tokens", "5", input_over=100),
        rate("input_tokens", "6", input_over=200),
        rate("input_tokens", "7", when={"region": "us"}),
        rate("input_tokens", "8", when={"region": "us", "service_tier": "priority"}),
    ]
    for lower, higher in pairwise(rising):
        assert precedence(lower) < precedence(higher), (lower, higher)


def test_rates_change_only_at_their_edges() -> None:
    rows = (
        rate("input_tokens", "1", valid_to="2026-06-01"),
        rate("input_tokens", "2", valid_from="2026-06-01", input_over=200_000),
        rate("output_tokens", "3", output_over=50, windows=DEEPSEEK_PEAK),
    )
    where = edges(ModelRates("openai", "m", rows))
    assert where == Edges((at("2026-06-01"),), (200_000,), (50,), (parse_windows(DEEPSEEK_PEAK),))
    base = Conditions(at("2026-11-24T02:00"), at("2026-11-24T02:00"), (), 200_000, 50)
    for other, same in [
        (Conditions(at("2026-06-01"), base.clock, (), 0, 0), True),
        (Conditions(at("2026-05-31T23:59"), base.clock, (), 0, 0), False),
        (Conditions(base.day, base.clock, (), 200_001, 50), False),
        (Conditions(base.day, base.clock, (), 200_000, 51), False),
        (Conditions(base.day, at("2026-11-24T04:00"), (), 0, 0), False),
        (Conditions(base.day, base.clock, (("speed", "fast"),), 0, 0), False),
    ]:
        assert (where.bucket(other) == where.bucket(base)) is same


def test_an_edited_table_is_a_new_one() -> None:
    base = table(*text_rates(), *text_rates("openai/n"))
    edited = base.edited([rate("input_tokens", "9")])
    assert [str(r.price) for r in base.rates["openai", "m"]] == ["2", "10"]
    assert [(str(r.price), r.layer) for r in edited.rates["openai", "m"]] == [
        ("2", "catalog"), ("10", "catalog"), ("9", "session"),
    ]  # fmt: skip
    assert edited.rates["openai", "n"] is base.rates["openai", "n"]
    assert edited.version != base.version


def test_editing_twice_keeps_the_last_price_and_the_other_edits() -> None:
    base = table(*text_rates())
    twice = base.edited([rate("input_tokens", "9"), rate("output_tokens", "8")]).edited([rate("input_tokens", "7")])
    assert sorted(str(r.price) for r in twice.find("openai", "m").in_force(NOW)) == ["7", "8"]
    again = base.edited([rate("output_tokens", "8")]).edited([rate("input_tokens", "7")])
    assert {str(r.price) for r in again.find("openai", "m").in_force(NOW)} == {"7", "8"}


def test_an_edit_may_bring_a_new_model() -> None:
    edited = table(*text_rates()).edited(text_rates("mine/new"))
    assert edited.resolve("mine", "new") is not None
    assert len(edited.rates) == 2
    assert set(edited.rates) == {("openai", "m"), ("mine", "new")}


def test_the_same_edits_have_the_same_version() -> None:
    base = table(*text_rates())
    assert base.edited([rate("input_tokens", "9")]).version == base.edited([rate("input_tokens", "9")]).version
    assert base.edited([rate("input_tokens", "9")]).version != base.edited([rate("input_tokens", "8")]).version
    assert base.edited([rate("input_tokens", "9")], version="mine").version == "mine"


def test_a_book_keeps_one_finder_for_each_bucket() -> None:
    prices = table(*text_rates(), rate("input_tokens", "4", input_over=200_000))
    book = PriceBook(prices)
    who = book.resolve("openai", "m")
    small = [book.finder(who, Conditions(NOW, NOW, (), n)) for n in (5, 200_000)]
    large = book.finder(who, Conditions(NOW, NOW, (), 200_001))
    assert small[0] is small[1]
    assert large is not small[0]
    assert book.resolve("openai", "nobody") is None


def test_moments_elsewhere_are_moments() -> None:
    beijing = datetime(2026, 11, 24, 9, tzinfo=timezone(timedelta(hours=8)))  # 01:00 UTC
    assert parse_windows(DEEPSEEK_PEAK).hold(call_moment(beijing))


def test_a_rate_is_per_what_its_unit_is_quoted_for() -> None:
    assert rate("input_tokens", "2").per_unit == Decimal("0.000002")
    assert rate("web_searches", "10").per_unit == Decimal("0.01")
