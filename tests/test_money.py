"""The money format: every row of docs/numbers.md, both sides of each edge."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costlab import money

D = Decimal
AMOUNTS = st.decimals("0", "1000000000", places=12, allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "$0"),
        ("-0", "$0"),  # negative zero prints as zero
        ("0.0000009", "< $0.000001"),
        ("0.000001", "$0.000001"),
        ("0.000009", "$0.000009"),  # langchain-ai/langsmith-sdk#2148
        ("0.000123456", "$0.000123"),
        ("0.00464", "$0.00464"),  # NousResearch/hermes-agent#79220
        ("0.0123", "$0.0123"),
        ("0.0149", "$0.0149"),  # two decimals would show this and the one above as equal
        ("0.1", "$0.10"),
        ("0.4", "$0.40"),
        ("0.4567", "$0.457"),
        ("0.4565", "$0.456"),  # half to even
        ("0.9994", "$0.999"),
        ("0.9996", "$1.00"),
        ("1", "$1.00"),
        ("5.114", "$5.11"),
        ("1043.834", "$1,043.83"),  # BerriAI/litellm#25973: reads as a million with three decimals
        ("9999.99", "$9,999.99"),
        ("1234567.891", "$1,234,567.89"),
        ("-0.28", "-$0.28"),
    ],
)
def test_an_amount_shows_what_its_size_needs(amount: str, text: str) -> None:
    assert money.usd(D(amount)) == text


def test_no_price_is_a_word_and_free_says_so() -> None:
    assert money.usd(None) == "unpriced"
    assert money.usd(None, lower_bound=True) == "unpriced"
    assert money.usd(D(0), free=True) == "$0 (free)"
    assert money.usd(D(0), free=True, lower_bound=True) == "≥ $0"  # free as far as is known: that is not free


def test_a_lower_bound_and_an_estimate_have_a_sign() -> None:
    assert money.usd(D("0.42"), lower_bound=True) == "≥ $0.42"
    assert money.usd(D("0.42"), estimated=True) == "~$0.42"
    assert money.usd(D("0.42"), lower_bound=True, estimated=True) == "≥ $0.42"
    # '≥ $0.000001' would claim more than is known
    assert money.usd(D("0.0000004"), lower_bound=True) == "≥ $0.0000004"


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("1043.834", "$1,043.83"),
        ("9999.99", "$9,999.99"),
        ("9999.996", "$10.0k"),
        ("10000", "$10.0k"),
        ("12345", "$12.3k"),
        ("99949", "$99.9k"),
        ("99951", "$100k"),
        ("999499", "$999k"),
        ("999501", "$1.00M"),
        ("1050000", "$1.05M"),
        ("2500000000", "$2.50G"),
    ],
)
def test_a_headline_is_compact_from_ten_thousand_on(amount: str, text: str) -> None:
    assert money.headline(D(amount)) == text


def test_a_headline_keeps_signs_and_words() -> None:
    assert money.headline(D(12_345), lower_bound=True) == "≥ $12.3k"
    assert money.headline(D(12_345), estimated=True) == "~$12.3k"
    assert money.headline(None) == "unpriced"


@pytest.mark.parametrize(
    ("amounts", "texts"),
    [
        (["0.000123", "0.4"], ["$0.000123", "$0.400000"]),
        (["0.0000001", "0.4"], ["< $0.000001", "$0.400000"]),  # six decimals at most, and never $0.000000 for use
        (["5.11", "1043.834"], ["$5.11", "$1,043.83"]),
        (["0", "0.0123"], ["$0.0000", "$0.0123"]),
        ([], []),
    ],
)
def test_a_column_has_one_number_of_decimals(amounts: list[str], texts: list[str]) -> None:
    assert money.column([D(a) for a in amounts]) == texts


def test_a_column_says_unpriced() -> None:
    assert money.column([None, D("0.25")]) == ["unpriced", "$0.25"]
    assert money.column([None]) == ["unpriced"]


@pytest.mark.parametrize(
    ("price", "per", "noun", "text"),
    [
        ("0.15", 1_000_000, "tokens", "$0.15 / 1M tokens"),
        ("0.0375", 1_000_000, "tokens", "$0.0375 / 1M tokens"),
        ("0.04", 1, "image", "$0.04 / image"),
        ("10", 1_000, "searches", "$10.00 / 1k searches"),
        ("1E+1", 1_000, "searches", "$10.00 / 1k searches"),
        ("0.08", 3_600, "seconds", "$0.08 / 3,600 seconds"),
        ("0", 1_000_000, "tokens", "$0.00 / 1M tokens"),
    ],
)
def test_a_unit_price_names_its_unit(price: str, per: int, noun: str, text: str) -> None:
    assert money.unit_price(D(price), per, noun) == text


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ("0.40", "0.12", "-$0.28 (-70%)"),  # 0.28 / 0.40 = 0.7
        ("0.12", "0.40", "+$0.28 (+233%)"),  # 0.28 / 0.12 = 2.333
        ("0", "0.40", "+$0.40 (new)"),  # never a percent of nothing
        ("0.40", "0.40", "$0 (0%)"),
        ("0.40", "0", "-$0.40 (-100%)"),
        ("100", "100.2", "+$0.20 (+<1%)"),
        ("0.001", "1", "+$0.999 (+99,900%)"),
    ],
)
def test_a_change_is_money_first(before: str, after: str, text: str) -> None:
    assert money.change(D(before), D(after)) == text


def test_a_range_has_the_same_decimals_at_both_ends() -> None:
    assert money.interval(D("0.12"), D("0.09"), D("0.17"), 80) == "$0.12 ($0.09-$0.17, 80%)"
    assert money.interval(D("0.1234"), D("0.09"), D("0.17"), 80) == "$0.1234 ($0.0900-$0.1700, 80%)"
    assert money.interval(D("1.2"), D("1"), D("17"), 80) == "$1.20 ($1.00-$17.00, 80%)"


def test_very_cheap_tasks_switch_the_basis() -> None:
    assert money.per_tasks(D("0.00464")) == "$4.64 per 1,000 tasks"
    assert money.per_tasks(D("0.00464"), 100, lower_bound=True) == "≥ $0.464 per 100 tasks"
    assert money.per_tasks(None) == "unpriced per 1,000 tasks"


def test_another_currency_says_rate_and_date() -> None:
    # 0.00464 x 7.21 = 0.0334544
    assert money.converted(D("0.00464"), "CNY", D("7.21"), date(2026, 11, 20)) == "CNY 0.0335 (7.21, 2026-11-20)"


def test_money_is_left_alone_by_markdown() -> None:
    assert money.markdown("$0.40 and $0.12") == "\\$0.40 and \\$0.12"


def test_counts() -> None:
    assert money.tokens(17_903) == "17,903"
    assert [money.compact(n) for n in (999, 1_000, 17_903, 999_499, 999_500, 1_050_000, 5_150_000_000)] == [
        "999", "1.00k", "17.9k", "999k", "1.00M", "1.05M", "5.15G",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.84, "0.84 s"), (9.99, "9.99 s"), (9.996, "10 s"), (12.3, "12 s"), (59.4, "59 s"), (59.6, "1 min 00 s"),
        (125, "2 min 05 s"), (3_599.6, "1 h 00 min"), (3_725, "1 h 02 min"), (None, "—"),
    ],
)  # fmt: skip
def test_durations(seconds: float | None, text: str) -> None:
    assert money.duration(seconds) == text


@given(AMOUNTS)
def test_nothing_is_scientific_and_nothing_used_is_shown_as_nothing(amount: Decimal) -> None:
    for text in (money.usd(amount), money.headline(amount), money.column([amount])[0]):
        assert "E" not in text.upper().replace("FREE", "")
        if amount:
            assert text.strip("$0.") not in ("",)


@given(AMOUNTS.filter(lambda a: a >= D("0.000001")))
def test_what_is_shown_is_within_half_a_percent(amount: Decimal) -> None:
    shown = D(money.usd(amount).replace("$", "").replace(",", ""))
    assert abs(shown - amount) <= amount * D("0.005")
