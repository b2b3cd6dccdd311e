"""Counts: what is inclusive, what is disjoint, and what cannot be; literal cases."""

from __future__ import annotations

from decimal import Decimal

import pytest

from costlab.errors import BadInput, UnknownUnit
from costlab.units import BEYOND, units
from costlab.usage import add, ancestors, checked, complete, count, leaves, token_side, unit


def said(counts: dict[str, int]) -> list[tuple[str, str, str]]:
    return [(w.code, w.field, w.detail) for w in leaves(counts)[1]]


def test_the_units_are_those_of_genai_prices_and_what_it_lacks() -> None:
    assert {"input_tokens", "cache_write_1h_tokens", "web_searches", "requests", "output_images"} <= set(units())
    assert unit("input_tokens").per == 1_000_000
    assert unit("web_searches").per == 1_000
    assert (unit("input_tokens").family, unit("input_tokens").direction) == ("tokens", "input")
    assert unit("requests").direction is None
    assert [token_side(k) for k in ("cache_read_tokens", "output_reasoning_tokens", "input_images")] == [
        "input", "output", None,
    ]  # fmt: skip


def test_the_list_is_that_of_the_installed_genai_prices_unit_by_unit() -> None:
    from genai_prices.data_units import unit_data

    ours = {key: (one.per, one.dimensions) for key, one in units().items() if key not in BEYOND}
    theirs = {key: (one["per"], frozenset(one["dimensions"].items())) for key, one in unit_data.items()}
    assert theirs.items() <= ours.items()  # an older version may know fewer
    assert len(ours) == 59


def test_every_unit_has_dimensions_of_its_own() -> None:
    assert len({u.dimensions for u in units().values()}) == len(units())


def test_ancestors_are_the_units_that_contain_one_nearest_first() -> None:
    assert ancestors("input_tokens") == ()
    assert ancestors("cache_image_read_tokens") == ("cache_read_tokens", "input_image_tokens", "input_tokens")
    assert ancestors("cache_write_1h_tokens") == ("cache_write_tokens", "input_tokens")
    assert "cache_read_tokens" not in ancestors("input_image_tokens")


def test_an_unknown_unit_is_named() -> None:
    with pytest.raises(UnknownUnit, match="unknown unit 'tokens_in'") as problem:
        checked({"tokens_in": 5})
    assert problem.value.field == "tokens_in"


@pytest.mark.parametrize("value", ["12", True, None, [], float("nan"), float("inf"), -1, -0.5, 10**15 + 1, "1e3"])
def test_what_is_no_count_is_refused_by_name(value: object) -> None:
    with pytest.raises(BadInput) as problem:
        count(value, "input_tokens")
    assert problem.value.field == "input_tokens"


def test_counts_are_whole_or_exact() -> None:
    assert (count(5.0, "x"), type(count(5.0, "x"))) == (5, int)
    assert count(0.1, "x") == Decimal("0.1")
    assert count(10**15, "x") == 10**15
    assert checked({"input_tokens": 3, "output_tokens": None}) == {"input_tokens": 3}  # absent is absent


def test_counts_add_up_unit_by_unit() -> None:
    assert add([{"input_tokens": 2}, {"input_tokens": 3, "web_searches": 1}]) == {"input_tokens": 5, "web_searches": 1}
    assert add([]) == {}


def test_a_missing_total_is_the_sum_of_its_parts() -> None:
    full, warnings = complete({"cache_read_tokens": 700, "cache_write_5m_tokens": 200, "cache_write_1h_tokens": 100})
    assert full["cache_write_tokens"] == 200 + 100
    assert full["input_tokens"] == 700 + 300
    assert warnings == ()


def test_a_missing_total_is_the_largest_sum_of_one_dimension() -> None:
    # by kind 700 (cached), by modality 400 + 500: cached tokens and media overlap, so they are not added together
    full, _ = complete({"cache_read_tokens": 700, "input_image_tokens": 400, "input_audio_tokens": 500})
    assert full["input_tokens"] == 900


def test_a_short_total_is_raised_and_both_figures_are_named() -> None:
    assert said({"input_tokens": 5, "cache_read_tokens": 128_955}) == [
        ("parts_exceed_total", "input_tokens", "input_tokens was 5, its parts sum to 128955")
    ]
    assert leaves({"input_tokens": 5, "cache_read_tokens": 128_955})[0] == {"cache_read_tokens": 128_955}
    assert said({"cache_write_tokens": 10, "cache_write_5m_tokens": 8, "cache_write_1h_tokens": 4}) == [
        ("parts_exceed_total", "cache_write_tokens", "cache_write_tokens was 10, its parts sum to 12")
    ]


def test_a_total_that_holds_its_parts_exactly_is_left_alone() -> None:
    assert said({"input_tokens": 12, "cache_read_tokens": 8, "cache_write_tokens": 4}) == []
    assert leaves({"input_tokens": 12, "cache_read_tokens": 8, "cache_write_tokens": 4})[0] == {
        "cache_read_tokens": 8, "cache_write_tokens": 4,
    }  # fmt: skip


def test_every_token_is_in_one_leaf() -> None:
    counts = {
        "input_tokens": 10_000, "cache_read_tokens": 6_000, "cache_write_tokens": 1_500, "cache_write_1h_tokens": 500,
        "output_tokens": 900, "output_reasoning_tokens": 600,
    }  # fmt: skip
    assert leaves(counts)[0] == {
        "input_tokens": 2_500,  # 10,000 - 6,000 - 1,500
        "cache_read_tokens": 6_000,
        "cache_write_tokens": 1_000,  # of no stated lifetime: 1,500 - 500
        "cache_write_1h_tokens": 500,
        "output_tokens": 300,
        "output_reasoning_tokens": 600,
    }


def test_a_stated_overlap_is_used() -> None:
    counts = {
        "input_tokens": 1_000,
        "input_audio_tokens": 400,
        "cache_read_tokens": 300,
        "cache_audio_read_tokens": 100,
    }
    found, notes = leaves(counts)
    assert found == {
        "input_tokens": 400,  # 1,000 - 400 audio - 200 cached text
        "input_audio_tokens": 300,
        "cache_audio_read_tokens": 100,
        "cache_read_tokens": 200,
    }
    assert [w.code for w in notes] == ["joint_unknown"]  # of the other 200 nothing says that they are text


def test_a_whole_stated_overlap_needs_no_warning() -> None:
    counts = {"input_tokens": 500, "input_audio_tokens": 100, "cache_read_tokens": 100, "cache_audio_read_tokens": 100}
    assert leaves(counts) == ({"input_tokens": 400, "cache_audio_read_tokens": 100}, ())


def test_without_a_stated_overlap_cached_tokens_are_text_first() -> None:
    found, notes = leaves({"input_tokens": 1_000, "input_image_tokens": 800, "cache_read_tokens": 300})
    # 200 of text are all cached, and 100 of the picture's tokens must be
    assert found == {"input_image_tokens": 700, "cache_read_tokens": 200, "cache_image_read_tokens": 100}
    assert [(w.code, w.field) for w in notes] == [("joint_unknown", "cache_read_tokens")]


def test_cached_text_alone_needs_no_warning() -> None:
    assert leaves({"input_tokens": 1_000, "cache_read_tokens": 300})[1] == ()


def test_lifetimes_stated_for_a_modality_stay_with_it() -> None:
    counts = {
        "input_tokens": 100, "cache_text_write_1h_tokens": 10, "cache_image_write_tokens": 30,
        "cache_write_5m_tokens": 20,
    }  # fmt: skip
    assert leaves(counts)[0] == {
        "input_tokens": 60,  # 100 - 10 - 30
        "cache_text_write_1h_tokens": 10,
        "cache_image_write_5m_tokens": 20,
        "cache_image_write_tokens": 10,
    }


def test_units_that_are_no_tokens_are_disjoint_too() -> None:
    counts = {"input_document_pages": 10, "input_annotated_document_pages": 4, "web_searches": 2}
    assert leaves(counts)[0] == {"input_document_pages": 6, "input_annotated_document_pages": 4, "web_searches": 2}


def test_nothing_used_has_no_leaf() -> None:
    assert leaves({"input_tokens": 0, "output_tokens": 0}) == ({}, ())
    assert leaves({}) == ({}, ())


def test_fractions_are_exact() -> None:
    assert leaves({"input_audio_seconds": Decimal("2.5")})[0] == {"input_audio_seconds": Decimal("2.5")}
