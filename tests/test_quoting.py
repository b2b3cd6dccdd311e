"""One call asked about by itself: what may be asked, what the answer holds, and which field a refusal names."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from price_samples import NOW, M, at, rate, table, text_rates

from costlab.errors import BadInput, UnknownUnit
from costlab.prices import PriceTable
from costlab.quoting import Quote, quote

D = Decimal
PRICES = table(*text_rates(), rate("cache_read_tokens", "0.5"))
BLOCK = {"prompt_tokens": 1_000, "completion_tokens": 10}


def ask(record: dict[str, object], prices: PriceTable = PRICES, **more: object) -> Quote:
    return quote(record, prices, now=NOW, **more)  # type: ignore[arg-type]


def test_counts_usage_and_response_give_the_same_answer() -> None:
    base = {"provider": "openai", "model": "m"}
    body = {"model": "m", "object": "chat.completion", "choices": [], "usage": BLOCK}
    for given in ({"counts": {"input_tokens": 1_000, "output_tokens": 10}}, {"usage": BLOCK}, {"response": body}):
        found = ask({**base, **given})
        assert found.cost.total == D("0.0021")  # 1,000 x 2 + 10 x 10 millionths
        assert found.leaves == {"input_tokens": 1_000, "output_tokens": 10}
        assert (found.resolved.provider, found.resolved.model, found.resolved.by) == ("openai", "m", "exact")


def test_leaves_and_counts() -> None:
    found = ask({"provider": "openai", "model": "m", "counts": {"input_tokens": 10, "cache_read_tokens": 4}})
    assert found.counts == {"input_tokens": 10, "cache_read_tokens": 4}
    assert found.leaves == {"input_tokens": 6, "cache_read_tokens": 4}


def test_the_model_named_in_a_body_is_found() -> None:
    found = ask({"provider": "openai", "response": {"model": "m", "choices": [], "usage": BLOCK}})
    assert (found.call.model, found.cost.total) == ("m", D("0.0021"))


def test_an_unknown_model_is_an_answer_and_no_error() -> None:
    found = ask({"provider": "openai", "model": "gpt-9", "usage": BLOCK})
    assert (found.resolved.by, found.cost.known, found.counts["input_tokens"]) == ("none", None, 1_000)
    assert found.today is not None  # nothing that had a rate has lost it


def test_what_is_said_with_the_record_wins_over_usage() -> None:
    prices = table(*text_rates(), *text_rates(input="1", when={"processing": "batch"}))
    block = {**BLOCK, "service_tier": "default"}
    record = {"provider": "openai", "model": "m", "usage": block}
    assert ask({**record, "when": {"processing": "batch"}}, prices).cost.by_unit()["input_tokens"] == D("0.001")
    assert ask({**record, "service_tier": "batch"}, prices).cost.by_unit()["input_tokens"] == D("0.001")
    assert ask(record, prices).cost.by_unit()["input_tokens"] == D("0.002")


DATED = table(*text_rates(input="3", valid_to="2026-10-07"), *text_rates(input="2", valid_from="2026-10-07"))


def test_two_dates_two_figures() -> None:
    found = ask({"provider": "openai", "model": "m", "counts": {"input_tokens": M}, "at": "2026-10-06"}, DATED)
    assert (found.cost.total, found.today.total) == (D(3), D(2))
    assert found.call.started_at == datetime(2026, 10, 6, 12, tzinfo=UTC)  # a bare date is noon
    undated = ask({"provider": "openai", "model": "m", "counts": {"input_tokens": M}}, DATED)
    assert (undated.cost.total, undated.today.total) == (D(2), D(2))
    other = ask({"provider": "openai", "model": "m", "counts": {"input_tokens": M}}, DATED, day=at("2026-01-01"))
    assert other.cost.total == D(3)


def test_no_figure_for_today_where_a_rate_is_gone() -> None:
    ended = table(*text_rates(valid_to="2026-10-07"))
    found = ask({"provider": "openai", "model": "m", "counts": {"input_tokens": M}, "at": "2026-10-06"}, ended)
    assert (found.cost.total, found.today) == (D(2), None)


def test_todays_figure_does_not_change_with_the_clock() -> None:
    prices = table(*text_rates("deepseek/d", "1"), *text_rates("deepseek/d", "2", windows="Mo-Fr 01:00-04:00"))
    record = {"provider": "deepseek", "model": "d", "counts": {"input_tokens": M}, "at": "2026-11-24T02:00:00Z"}
    nows = ("2026-11-24T02:00", "2026-11-24T23:00", "2026-11-28T02:00")
    assert {quote(record, prices, now=at(n)).today.total for n in nows} == {D(2)}


def test_a_step_larger_than_the_window_is_named() -> None:
    windows = {("openai", "m"): 500}
    found = ask({"provider": "openai", "model": "m", "usage": BLOCK}, context=lambda p, m: windows[p, m])
    assert [(w.code, w.field) for w in found.warnings] == [("exceeds_context", "input_tokens")]


@pytest.mark.parametrize(
    ("record", "field"),
    [
        ({}, "usage"),
        ({"usage": BLOCK, "counts": {"input_tokens": 1}}, "usage"),
        ({"counts": [1]}, "counts"),
        ({"counts": {"input_tokens": -1}}, "input_tokens"),
        ({"counts": {"input_tokens": "12"}}, "input_tokens"),
        ({"counts": {"input_tokens": True}}, "input_tokens"),
        ({"counts": {"tokens": 1}}, "tokens"),
        ({"counts": {"input_tokens": 1}, "at": "soon"}, "at"),
        ({"counts": {"input_tokens": 1}, "at": 20261124}, "at"),
        ({"counts": {"input_tokens": 1}, "when": "batch"}, "when"),
        ({"counts": {"input_tokens": 1}, "when": {"moon": "full"}}, "when"),
        ({"counts": {"input_tokens": 1}, "when": {"region": 5}}, "when.region"),
        ({"counts": {"input_tokens": 1}, "service_tier": 3}, "service_tier"),
        ({"counts": {"input_tokens": 1}, "provider": ["openai"]}, "provider"),
        ({"counts": {"input_tokens": 1}, "model": 5}, "model"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(record: dict[str, object], field: str) -> None:
    with pytest.raises(BadInput) as problem:
        ask({"provider": "openai", "model": "m", **record})
    assert problem.value.field == field


def test_an_unknown_unit_has_its_own_error() -> None:
    with pytest.raises(UnknownUnit):
        ask({"provider": "openai", "model": "m", "counts": {"tokens": 1}})


def test_parts_are_split_on_their_own_so_that_leaves_are_the_lines() -> None:
    prices = table(*text_rates("anthropic/big", "5", "25"), *text_rates("anthropic/small", "1", "5"))
    block = {
        "input_tokens": 100, "output_tokens": 10,
        "iterations": [
            {"type": "message", "model": "small", "input_tokens": 100, "output_tokens": 10},
            {"type": "advisor_message", "model": "big", "input_tokens": 200, "output_tokens": 5},
        ],
    }  # fmt: skip
    found = ask({"provider": "anthropic", "model": "small", "usage": block}, prices)
    # 100 x 1 + 10 x 5 + 200 x 5 + 5 x 25 = 100 + 50 + 1,000 + 125 millionths
    assert found.cost.total == D("0.001275")
    assert found.leaves == {"input_tokens": 300, "output_tokens": 15}
    assert sum(line.quantity for line in found.cost.lines) == 315
