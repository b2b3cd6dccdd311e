"""Whole bodies, streams, batch lines and sessions are read like their usage blocks."""

from __future__ import annotations

from typing import Any

import pytest
from response_samples import BLIND, BODIES, CHAT, Json, codes, nonzero

from costlab.errors import BadInput
from costlab.responses import read_response


@pytest.mark.parametrize(
    ("provider", "body", "model", "counts", "tier"), [b[1:] for b in BODIES], ids=[b[0] for b in BODIES]
)
def test_a_whole_body_is_read(provider: str, body: Any, model: str | None, counts: Json, tier: str | None) -> None:
    reading = read_response(body, provider=provider)
    assert (reading.model, nonzero(reading), reading.service_tier) == (model, counts, tier)


def test_batch_lines_are_batch() -> None:
    openai = {"custom_id": "1", "response": {"status_code": 200, "body": {"model": "gpt-5", "usage": CHAT}}}
    reading = read_response(openai, provider="openai")
    assert (reading.model, dict(reading.when)) == ("gpt-5", {"processing": "batch"})
    usage = {"input_tokens": 1, "output_tokens": 2, "service_tier": "batch"}
    message = {"type": "succeeded", "message": {"model": "claude", "usage": usage}}
    claude = read_response({"custom_id": "1", "result": message}, provider="anthropic")
    assert (claude.model, claude.service_tier, dict(claude.when)) == ("claude", "batch", {"processing": "batch"})


def test_groqs_breakdown_by_model_becomes_parts() -> None:
    body = {
        "model": "groq/compound",
        "usage": {"prompt_tokens": 30, "completion_tokens": 12, "total_tokens": 42},
        "usage_breakdown": {
            "models": [
                {"model": "llama-3.3-70b", "usage": {"prompt_tokens": 10, "completion_tokens": 5}},
                {"model": "gpt-oss-120b", "usage": {"prompt_tokens": 20, "completion_tokens": 7}},
            ]
        },
    }
    reading = read_response(body, provider="groq")
    assert nonzero(reading) == {"input_tokens": 30, "output_tokens": 12}
    assert [(p.provider, p.model) for p in reading.parts] == [("groq", "llama-3.3-70b"), ("groq", "gpt-oss-120b")]
    assert reading.warnings == ()


def test_each_finished_response_of_a_session_is_a_part() -> None:
    def done(tokens: int) -> Json:
        return {"type": "response.done", "response": {"model": "gpt-realtime", "usage": {"input_tokens": tokens}}}

    reading = read_response([done(10), {"type": "rate_limits.updated"}, done(25)], provider="openai")
    assert reading.counts["input_tokens"] == 35
    assert [p.counts["input_tokens"] for p in reading.parts] == [10, 25]


def test_pictures_without_usage_are_counted_with_their_size() -> None:
    body = {"created": 1, "data": [{"url": "a"}, {"url": "b"}], "size": "1024x1024", "quality": "hd"}
    reading = read_response(body, provider="openai", model="dall-e-3")
    assert (dict(reading.counts), reading.bounds) == ({"output_images": 2}, ())
    assert dict(reading.when) == {"size": "1024x1024", "quality": "hd"}


def test_a_body_without_usage_is_unmetered_but_an_error_is_not_billed() -> None:
    silent = read_response([{"model": "m", "choices": [{"delta": {"content": "hi"}}]}], provider="openai")
    assert (silent.usage_basis, silent.bounds, codes(silent)) == ("unknown", BLIND, ["usage_missing"])
    failed = read_response({"error": {"message": "overloaded"}}, provider="openai")
    assert (failed.counts, failed.bounds, failed.warnings) == ({}, (), ())


@pytest.mark.parametrize(("body", "field"), [(3, "response"), ([1], "response[0]"), ({"usage": 3}, "usage")])
def test_broken_bodies_name_their_field(body: object, field: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_response(body)
    assert caught.value.field == field
