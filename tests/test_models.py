"""Whether a model could run a recorded run: what the run asks, and the reason where it could not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from price_samples import call, run_of

import costlab as cl
from costlab.door.models import MAKERS
from costlab.models import ModelFacts, Needs, needs_of, why_not
from costlab.runs import Media, Part

TODAY = date(2026, 11, 24)
FACTS = ModelFacts("openai", "m")


def test_a_run_asks_for_its_largest_request() -> None:
    run = run_of(
        call({"input_tokens": 30_000, "output_tokens": 10}),
        call({"input_tokens": 20_000, "output_tokens": 15_000}, tools=("t1",)),
        call({"input_tokens": 5, "input_image_tokens": 3}, media=(Media("audio", seconds=2),)),
    )
    # 20,000 + 15,000 in one request; 30,000 in another
    assert needs_of(run) == Needs(30_000, 35_000, ("audio", "image"), True)
    assert needs_of(run_of()) == Needs()


def test_several_inferences_of_one_call_are_requests_of_their_own() -> None:
    parts = (Part("openai", "m", {"input_tokens": 900}), Part("openai", "m", {"input_tokens": 800}))
    assert needs_of(run_of(call({"input_tokens": 1_700}, parts=parts))).input_tokens == 900


@pytest.mark.parametrize(
    ("facts", "needs", "reason"),
    [
        ({}, Needs(), ""),  # what is unknown matters only where a run needs it
        ({}, Needs(10, 12), "unknown: context window"),
        ({}, Needs(10, 12, ("image",), True), "unknown: context window, vision, native tool calls"),
        ({"context_tokens": 8_000}, Needs(10, 12, ("image",)), "unknown: vision"),
        ({"context_tokens": 8_000, "native_tools": False}, Needs(10, 12, ("image",), True), "no native tool calls"),
        ({"max_input_tokens": 32_000}, Needs(32_000, 32_100), ""),
        ({"max_input_tokens": 32_000}, Needs(32_001, 32_100), "does not fit: 32,001 of 32,000"),
        ({"max_input_tokens": 32_000}, Needs(131_072, 131_073), "does not fit: 131k of 32k"),
        ({"context_tokens": 32_000}, Needs(31_000, 32_000), ""),
        ({"context_tokens": 32_000}, Needs(31_000, 33_000), "does not fit: 33k of 32k"),  # question and answer
        ({"context_tokens": 40_000, "max_input_tokens": 8_000}, Needs(9_000, 9_100), "does not fit: 9,000 of 8,000"),
        ({"mode": "chat"}, Needs(), ""),
        ({"mode": "responses"}, Needs(), ""),
        ({"mode": "embedding"}, Needs(), "not a chat model (embedding)"),
        ({"retires_at": date(2026, 11, 25)}, Needs(), ""),
        ({"retires_at": date(2026, 11, 24)}, Needs(), "retired 2026-11-24"),
        ({"inputs": ("text",)}, Needs(inputs=("image",)), "no vision"),
        ({"inputs": ("image", "text")}, Needs(inputs=("image",)), ""),
        ({"inputs": ("text",)}, Needs(inputs=("audio", "video")), "no audio input, no video input"),
        ({"inputs": ("image",)}, Needs(inputs=("audio",)), "unknown: audio input"),  # a source's list need not be whole
        ({"mode": "completion"}, Needs(), "not a chat model (completion)"),
        ({"native_tools": False}, Needs(native_tools=True), "no native tool calls"),
        ({"native_tools": True}, Needs(native_tools=True), ""),
        ({"native_tools": False}, Needs(), ""),
    ],
)
def test_why_a_model_could_not_run_it(facts: dict[str, object], needs: Needs, reason: str) -> None:
    assert why_not(replace(FACTS, **facts), needs, TODAY) == reason


def test_a_model_without_facts_is_unknown() -> None:
    assert why_not(None, Needs(10, 12), TODAY) == "unknown: context window"


def test_makers_come_before_other_hosts() -> None:
    names = ["azure/kimi-k3", "moonshotai/kimi-k3", "baseten/kimi-k3", "openai/gpt-5"]
    assert cl.makers_first(names) == ["moonshotai/kimi-k3", "openai/gpt-5", "azure/kimi-k3", "baseten/kimi-k3"]


def test_every_maker_is_in_the_price_table(shipped: cl.PriceTable) -> None:
    assert {name.partition("/")[0] for name in cl.model_names(shipped)} >= set(MAKERS)
