"""Which unit takes whose rate, with and without a bound (DESIGN.md section 4, "Ancestors")."""

from __future__ import annotations

from decimal import Decimal

import pytest
from price_samples import M, bounds, claude, cost, lines, rate, table, text_rates, why

from costlab.prices import Rate

D = Decimal


def priced_as(unit: str, *rows: Rate, of: str = "openai/m", counts: dict[str, int] | None = None) -> tuple[str, str]:
    """The unit whose rate a leaf took, and its bound."""
    found = cost(table(*text_rates(of), *rows), counts or {unit: M}, of=of)
    assert found.unpriced == ()
    return lines(found)[unit][1], ",".join(reason for reason, concerned in bounds(found) if concerned == unit)


@pytest.mark.parametrize(
    ("unit", "took"),
    [
        ("input_text_tokens", "input_tokens"),
        ("input_image_tokens", "input_tokens"),  # documents too: they are counted as pictures
        ("input_tool_tokens", "input_tokens"),
        ("cache_read_tokens", "input_tokens"),  # no known discount: full input
        ("cache_write_tokens", "input_tokens"),
        ("cache_write_5m_tokens", "input_tokens"),
        ("output_reasoning_tokens", "output_tokens"),
        ("output_citation_tokens", "output_tokens"),
        ("output_text_tokens", "output_tokens"),
    ],
)
def test_these_take_their_ancestors_rate_without_a_bound(unit: str, took: str) -> None:
    assert priced_as(unit) == (took, "")


@pytest.mark.parametrize(
    ("unit", "took"),
    [
        ("cache_write_1h_tokens", "input_tokens"),
        ("input_audio_tokens", "input_tokens"),
        ("cache_audio_read_tokens", "input_tokens"),
        ("input_video_tokens", "input_tokens"),
        ("output_image_tokens", "output_tokens"),
        ("output_audio_tokens", "output_tokens"),
        ("output_video_tokens", "output_tokens"),
        ("output_audio_reasoning_tokens", "output_tokens"),
    ],
)
def test_these_may_cost_more_and_say_so(unit: str, took: str) -> None:
    assert priced_as(unit) == (took, "ancestor_rate")


@pytest.mark.parametrize("provider", ["google", "google-vertex"])
def test_googles_video_is_input(provider: str) -> None:
    assert priced_as("input_video_tokens", of=f"{provider}/m") == ("input_tokens", "")
    assert priced_as("input_audio_tokens", of=f"{provider}/m") == ("input_tokens", "ancestor_rate")


def test_a_rate_of_its_own_needs_no_ancestor_and_no_bound() -> None:
    assert priced_as("input_audio_tokens", rate("input_audio_tokens", "40")) == ("input_audio_tokens", "")
    assert priced_as("cache_write_1h_tokens", rate("cache_write_1h_tokens", "4")) == ("cache_write_1h_tokens", "")


def test_a_cached_picture_takes_the_cache_read_rate_and_not_input() -> None:
    assert priced_as("cache_image_read_tokens", rate("cache_read_tokens", "0.5")) == ("cache_read_tokens", "")


def test_of_two_ancestors_as_near_the_dearer_counts() -> None:
    cheap, dear = rate("cache_read_tokens", "0.5"), rate("input_audio_tokens", "40")
    assert priced_as("cache_audio_read_tokens", cheap, dear) == ("input_audio_tokens", "")  # 40 > 0.5
    dear, cheap = rate("cache_read_tokens", "50"), rate("input_audio_tokens", "40")
    assert priced_as("cache_audio_read_tokens", dear, cheap) == ("cache_read_tokens", "ancestor_rate")
    # cached video of Google: cache_read 0.2 and input_video 1
    rows = (rate("cache_read_tokens", "0.2", of="google/m"), rate("input_video_tokens", "1", of="google/m"))
    assert priced_as("cache_video_read_tokens", *rows, of="google/m") == ("input_video_tokens", "")


def test_the_nearest_ancestor_counts_even_if_a_farther_one_is_dearer() -> None:
    rows = (rate("output_reasoning_tokens", "3"),)
    assert priced_as("output_text_reasoning_tokens", *rows) == ("output_reasoning_tokens", "")  # not output at 10


def test_an_answers_own_side_is_never_crossed() -> None:
    only_input = table(rate("input_tokens", "2"))
    found = cost(only_input, {"input_tokens": M, "output_tokens": 5})
    assert (found.total, why(found)) == (D(2), {"output_tokens": "no rate for output_tokens"})
    assert bounds(found) == [("unpriced", "output_tokens")]


def test_a_write_of_no_stated_lifetime_and_one_of_five_minutes_are_the_same() -> None:
    five = rate("cache_write_5m_tokens", "2.5")
    plain = rate("cache_write_tokens", "2.5")
    assert priced_as("cache_write_tokens", five) == ("cache_write_5m_tokens", "")
    assert priced_as("cache_write_5m_tokens", plain) == ("cache_write_tokens", "")
    # a plain write rate is no price of an hour
    assert priced_as("cache_write_1h_tokens", plain) == ("cache_write_tokens", "ancestor_rate")
    assert priced_as("cache_write_1h_tokens", five) == ("cache_write_5m_tokens", "ancestor_rate")


def test_a_text_write_takes_the_write_rate_and_not_text_input() -> None:
    rows = (rate("cache_write_tokens", "2.5"), rate("cache_write_1h_tokens", "4"))
    assert priced_as("cache_text_write_5m_tokens", *rows) == ("cache_write_tokens", "")
    assert priced_as("cache_text_write_1h_tokens", *rows) == ("cache_write_1h_tokens", "")


def test_anthropics_declared_multiples_price_writes_without_a_bound() -> None:
    prices = table(*text_rates("anthropic/c", "3", "15"), write=claude)
    counts = {"cache_write_5m_tokens": M, "cache_write_1h_tokens": M, "input_tokens": 2 * M}
    found = cost(prices, counts, of="anthropic/c")
    assert lines(found) == {
        "cache_write_5m_tokens": (M, "input_tokens", "3.75"),  # 1.25 x 3
        "cache_write_1h_tokens": (M, "input_tokens", "6"),  # 2 x 3
    }
    assert (found.total, found.bounds) == (D("9.75"), ())


def test_a_listed_write_rate_wins_over_the_declared_multiple() -> None:
    prices = table(
        *text_rates("anthropic/c", "3", "15"), rate("cache_write_tokens", "4", of="anthropic/c"), write=claude
    )
    assert cost(prices, {"cache_write_5m_tokens": M}, of="anthropic/c").total == D(4)
    # and the hour stays declared: 2 x 3, not the 4 of a plain write
    assert cost(prices, {"cache_write_1h_tokens": M}, of="anthropic/c").total == D(6)


def test_ttl_unknown_stands_only_where_an_hour_would_cost_more() -> None:
    writes = {"cache_write_tokens": M}
    declared = table(*text_rates("anthropic/c", "3", "15"), write=claude)
    assert bounds(cost(declared, writes, of="anthropic/c")) == [("ttl_unknown", "cache_write_tokens")]
    one = table(*text_rates(), rate("cache_write_tokens", "2.5"))
    assert bounds(cost(one, writes)) == []
    two = table(*text_rates(), rate("cache_write_tokens", "2.5"), rate("cache_write_1h_tokens", "4"))
    assert bounds(cost(two, writes)) == [("ttl_unknown", "cache_write_tokens")]
    assert bounds(cost(two, {"cache_write_5m_tokens": M})) == []
    same = table(*text_rates(), rate("cache_write_tokens", "4"), rate("cache_write_1h_tokens", "4"))
    assert bounds(cost(same, writes)) == []  # two rows, one price: nothing is open
    split = {"cache_write_tokens": M, "cache_write_5m_tokens": M - 10, "cache_write_1h_tokens": 10}
    assert bounds(cost(two, split)) == []


def test_no_write_rate_anywhere_is_input_for_other_makers() -> None:
    assert lines(cost(table(*text_rates(), write=claude), {"cache_write_tokens": M})) == {
        "cache_write_tokens": (M, "input_tokens", "2")
    }


def test_other_units_have_no_ancestors_but_seconds_of_sound_and_pages() -> None:
    assert why(cost(table(*text_rates()), {"web_searches": 3})) == {"web_searches": "no rate for web_searches"}
    seconds = table(rate("audio_seconds", "1.8"))  # per hour, whichever side
    assert lines(cost(seconds, {"input_audio_seconds": 60}))["input_audio_seconds"] == (60, "audio_seconds", "1.8")
    pages = cost(table(rate("input_document_pages", "1")), {"input_annotated_document_pages": 7})
    assert bounds(pages) == [("ancestor_rate", "input_annotated_document_pages")]


def test_tokens_that_no_rate_covers_are_named() -> None:
    found = cost(table(rate("web_searches", "10")), {"input_tokens": 5, "cache_read_tokens": 2, "web_searches": 1})
    assert why(found) == {
        "input_tokens": "no rate for input_tokens", "cache_read_tokens": "no rate for cache_read_tokens",
    }  # fmt: skip
    assert (found.total, found.lower_bound) == (D("0.01"), True)
