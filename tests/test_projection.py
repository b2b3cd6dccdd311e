"""A run's own tokens on another price list: both ends of caching, parts, fees, and pictures nobody had counted."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from price_samples import NOW, M, bounds, call, rate, run_of, table, text_rates

import costlab as cl
from costlab.media import MediaRules
from costlab.prices import PriceTable, Resolved
from costlab.projection import Terms, count_media, on_model, on_price_list, rerun, uncounted, without_cache
from costlab.rules import media_rules
from costlab.runs import Media, ModelCall, Part

D = Decimal
ELSEWHERE = Resolved("anthropic", "c", "exact")
PRICES = table(
    *text_rates(), *text_rates("anthropic/c", "3", "15"), rate("cache_read_tokens", "0.3", of="anthropic/c"),
    rate("cache_write_tokens", "3.75", of="anthropic/c"),
)  # fmt: skip
TERMS = Terms(NOW)


@pytest.fixture(scope="module")
def rules() -> MediaRules:
    return media_rules(cl.pricing_folder())


def test_cached_as_recorded_and_nothing_cached() -> None:
    run = run_of(call({"input_tokens": 10_000, "cache_read_tokens": 8_000, "output_tokens": 100}))
    found = on_price_list(run, ELSEWHERE, PRICES, TERMS)
    # 2,000 x 3 + 8,000 x 0.3 + 100 x 15 = 6,000 + 2,400 + 1,500; without the cache 10,000 x 3 + 1,500 (millionths)
    assert (found.low, found.high) == (D("0.0099"), D("0.0315"))
    assert (found.cost.total, found.uncached.total) == (D("0.0099"), D("0.0315"))
    assert found.basis == {"cache_read_tokens": "assumed", "input_tokens": "assumed", "output_tokens": "assumed"}
    assert (found.name, found.fits, found.lower_bound) == ("anthropic/c", True, False)
    assert found.by_step == (("s1", D("0.0099")),)


def test_writing_a_cache_can_be_the_dearer_end() -> None:
    run = run_of(call({"input_tokens": 1_000, "cache_write_tokens": 1_000}))
    found = on_price_list(run, ELSEWHERE, PRICES, TERMS)
    assert (found.low, found.high) == (D("0.003"), D("0.00375"))  # 1,000 x 3 and x 3.75
    assert found.cost.total == found.high


def test_totals_stay_when_the_cache_goes() -> None:
    counts = {"input_tokens": 10, "cache_read_tokens": 6, "cache_write_1h_tokens": 2, "cache_audio_read_tokens": 1,
              "input_audio_tokens": 3, "output_tokens": 4}  # fmt: skip
    assert without_cache(counts) == {"input_tokens": 10, "input_audio_tokens": 3, "output_tokens": 4}
    assert without_cache({"cache_read_tokens": 6})["input_tokens"] == 6  # a total that was not stated is not lost


def test_conditions_of_the_first_model_do_not_travel() -> None:
    tiered = PRICES.edited([rate("input_tokens", "1", of="anthropic/c", when={"processing": "batch"})])
    moved = call({"input_tokens": M}, service_tier="batch", when={"region": "us"}, region="us")
    assert on_price_list(run_of(moved), ELSEWHERE, tiered, TERMS).cost.total == D(3)


def test_every_part_moves_and_keeps_its_own_context_tier() -> None:
    tiered = PRICES.edited(text_rates("anthropic/c", "30", "150", input_over=200_000))
    parts = (
        Part("openai", "m", {"input_tokens": 150_000, "cache_read_tokens": 50_000, "output_tokens": 100}, "priority"),
        Part("openai", "advisor", {"input_tokens": 120_000, "output_tokens": 20}),
    )
    whole = call({"input_tokens": 270_000, "cache_read_tokens": 50_000, "output_tokens": 120}, parts=parts)
    moved = on_model(whole, ELSEWHERE)
    assert moved.counts == whole.counts  # nothing lost, nothing doubled
    assert [(p.provider, p.model, p.service_tier) for p in moved.parts] == [("anthropic", "c", None)] * 2
    found = on_price_list(run_of(whole), ELSEWHERE, tiered, TERMS)
    # (100,000 + 120,000) x 3 + 50,000 x 0.3 + 120 x 15 = 660,000 + 15,000 + 1,800 millionths; neither is over 200,000
    assert found.cost.total == D("0.6768")
    assert found.uncached.total == D("0.8118")  # 270,000 x 3 + 1,800


def test_billed_items_without_a_rate_elsewhere_stay_unpriced_there() -> None:
    run = run_of(call({"input_tokens": 1_000, "web_searches": 2}))
    found = on_price_list(run, ELSEWHERE, PRICES, TERMS)
    assert (found.cost.total, found.lower_bound) == (D("0.003"), True)
    assert [(u.unit, u.quantity) for u in found.cost.unpriced] == [("web_searches", 2)]
    assert found.basis["web_searches"] == "assumed"
    priced = on_price_list(run, ELSEWHERE, PRICES.edited([rate("web_searches", "10", of="anthropic/c")]), TERMS)
    assert (priced.cost.total, priced.lower_bound) == (D("0.023"), False)


def test_a_fee_for_the_request_is_each_models_own_matter() -> None:
    run = run_of(call({"input_tokens": 1_000, "requests": 1}))
    assert on_price_list(run, ELSEWHERE, PRICES, TERMS).lower_bound is False
    charging = PRICES.edited([rate("requests", "5", of="anthropic/c")])
    assert on_price_list(run_of(call({"input_tokens": 1_000})), ELSEWHERE, charging, TERMS).cost.total == D("0.008")


def test_a_local_run_costs_elsewhere_what_its_tokens_cost_there() -> None:
    run = run_of(call({"input_tokens": 1_000, "output_tokens": 100}, of="local/qwen3"))
    assert on_price_list(run, ELSEWHERE, PRICES, TERMS).cost.total == D("0.0045")  # 1,000 x 3 + 100 x 15


def test_bounds_of_the_call_travel() -> None:
    run = run_of(call({"input_tokens": 5}, status="cut"))
    assert bounds(on_price_list(run, ELSEWHERE, PRICES, TERMS).cost) == [("cut", "")]


def test_what_another_run_holds_is_not_counted_elsewhere_either() -> None:
    run = run_of(call({"input_tokens": M}, inherited_from="r0"), call({"input_tokens": M}, call_id="c2"))
    assert on_price_list(run, ELSEWHERE, PRICES, TERMS).cost.total == D(3)


def test_a_model_that_cannot_run_it_is_priced_and_greyed() -> None:
    found = on_price_list(run_of(call({"input_tokens": M})), ELSEWHERE, PRICES, TERMS, why_not="no vision")
    assert (found.fits, found.why_not, found.cost.total) == (False, "no vision", D(3))


# ---- pictures that the recording model did not count

PICTURE = Media("image", width=1_000, height=1_000, detail="high")
NOT_COUNTED = {"media_counted": False}
GPT = Resolved("openai", "gpt-4o", "exact")
OPENAI = table(*text_rates("openai/gpt-4o", "2.5", "10"), *text_rates("nobody/blind", "1", "1"))


def with_picture(*media: Media, meta: dict[str, object] | None = None, **counts: int) -> cl.Run:
    used = {"input_tokens": 1_000, "output_tokens": 10, **counts}
    return run_of(call(used, of="local/qwen3", media=media), meta=NOT_COUNTED if meta is None else meta)


def test_pictures_nobody_counted_get_the_other_models_tokens(rules: MediaRules) -> None:
    found = on_price_list(with_picture(PICTURE, PICTURE), GPT, OPENAI, Terms(NOW, media=rules))
    # gpt-4o: 1000x1000 -> 768x768, 4 tiles: 85 + 4 x 170 = 765 tokens each
    assert [(x.unit, x.quantity) for x in found.cost.lines] == [
        ("input_tokens", 1_000), ("input_image_tokens", 1_530), ("output_tokens", 10),
    ]  # fmt: skip
    # (1,000 + 1,530) x 2.5 + 10 x 10 = 6,325 + 100 millionths
    assert found.cost.total == D("0.006425")
    assert found.basis == {"input_image_tokens": "counted", "input_tokens": "assumed", "output_tokens": "assumed"}
    assert found.lower_bound is False


def test_pictures_that_were_counted_are_not_added(rules: MediaRules) -> None:
    terms = Terms(NOW, media=rules)
    counted = on_price_list(with_picture(PICTURE, meta={}), GPT, OPENAI, terms)  # within input_tokens, as usual
    assert counted.cost.total == D("0.0026")  # 1,000 x 2.5 + 10 x 10 millionths
    stated = on_price_list(with_picture(PICTURE, input_image_tokens=300), GPT, OPENAI, terms)
    assert stated.cost.total == D("0.0026")


@pytest.mark.parametrize(
    ("who", "media", "unit"),
    [
        (Resolved("nobody", "blind", "exact"), PICTURE, "input_image_tokens"),  # no formula for this model
        (GPT, Media("image"), "input_image_tokens"),  # a formula, but the size was not recorded
        (GPT, Media("audio", seconds=3), "input_audio_tokens"),
    ],
)
def test_without_a_formula_the_medium_is_unmetered_and_never_nothing(
    rules: MediaRules, who: Resolved, media: Media, unit: str
) -> None:
    found = on_price_list(with_picture(media), who, OPENAI, Terms(NOW, media=rules))
    assert bounds(found.cost) == [("unmetered", unit)]
    assert found.lower_bound is True


def test_without_rules_nothing_can_be_counted() -> None:
    assert bounds(on_price_list(with_picture(PICTURE), GPT, OPENAI, TERMS).cost) == [
        ("unmetered", "input_image_tokens")
    ]


def test_a_pictures_tokens_go_to_the_first_of_several_inferences(rules: MediaRules) -> None:
    parts = (Part("local", "qwen3", {"input_tokens": 400}), Part("local", "qwen3", {"input_tokens": 600}))
    one = ModelCall("c1", "local", "qwen3", {"input_tokens": 1_000}, parts=parts, media=(PICTURE,))
    found = rerun(run_of(one, meta=NOT_COUNTED), GPT, Terms(NOW, media=rules)).calls[0]
    assert [p.counts["input_tokens"] for p in found.parts] == [400 + 765, 600]
    assert (found.counts["input_tokens"], found.counts["input_image_tokens"]) == (1_765, 765)


def test_the_formula_is_the_one_of_the_day(rules: MediaRules) -> None:
    found = count_media((PICTURE,), GPT, rules, date(2026, 11, 24))
    assert (found.counts, found.unknown, found.estimated) == ({"input_image_tokens": 765}, (), ())


def test_only_a_run_that_says_so_has_uncounted_media() -> None:
    run = with_picture(PICTURE)
    assert uncounted(run, run.calls[0]) == (PICTURE,)
    told = with_picture(PICTURE, meta={"media_counted": True})
    assert uncounted(told, told.calls[0]) == ()


def test_the_door_counts_pictures_too(shipped: PriceTable) -> None:
    run = with_picture(PICTURE)
    found = cl.compare(run, ["openai/gpt-4o"], shipped, now=NOW)[0]
    assert found.basis["input_image_tokens"] == "counted"
    assert cl.on_model(run, "openai/gpt-4o", shipped).calls[0].counts["input_tokens"] == 1_765


def test_the_door_compares_in_the_order_asked(shipped: PriceTable) -> None:
    run = run_of(call({"input_tokens": M, "output_tokens": 5}, of="local/qwen3"))
    names = ["mistral/mistral-medium-3.5", "openai/gpt-5-mini"]
    found = cl.compare(run, names, shipped, now=NOW)
    assert [a.name for a in found] == names
    assert all(a.why_not.startswith("does not fit: 1M of ") for a in found)
    with pytest.raises(cl.UnknownModel):
        cl.compare(run, ["openai/gpt-nothing"], shipped, now=NOW)
