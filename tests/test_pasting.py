"""Pasted texts: what each form is read as, what it costs by hand, and what a wrong one is told."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

import costlab as cl
from costlab.quoting import MAX_PASTED

D = Decimal
BODY = """{
  "model": "gpt-5-mini",
  "created": 1795341600,
  "usage": {
    "prompt_tokens": 10000,
    "prompt_tokens_details": {"cached_tokens": 8000},
    "completion_tokens": 1000
  }
}"""


def test_a_whole_response_is_priced_at_the_day_that_it_states(shipped: cl.PriceTable) -> None:
    found = cl.quote_text(BODY, table=shipped)
    # (2,000 x 0.25 + 8,000 x 0.025 + 1,000 x 2.00) USD per million
    assert found.cost.total == D("0.0027")
    assert (found.resolved.provider, found.resolved.model) == ("openai", "gpt-5-mini")
    assert found.call.started_at == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert found.leaves == {"input_tokens": 2_000, "cache_read_tokens": 8_000, "output_tokens": 1_000}
    assert cl.quote_text(BODY, at="2026-10-01", table=shipped).call.started_at == datetime(2026, 10, 1, 12, tzinfo=UTC)


def test_a_usage_block_needs_a_model(shipped: cl.PriceTable) -> None:
    block = json.dumps({"input_tokens": 2_000, "cache_read_input_tokens": 8_000, "output_tokens": 400})
    alone = cl.quote_text(block, table=shipped)
    assert alone.cost.known is None
    assert alone.resolved.by == "none"
    named = cl.quote_text(block, provider="anthropic", model="claude-haiku-4-5", table=shipped)
    # Anthropic counts beside the cache: (2,000 x 1.00 + 8,000 x 0.10 + 400 x 5.00) USD per million
    assert named.cost.total == D("0.0048")
    assert named.counts["input_tokens"] == 10_000


def test_the_events_of_a_stream_are_one_response(shipped: cl.PriceTable) -> None:
    text = (
        'event: message_start\ndata: {"type": "message_start", "message": {"model": "claude-haiku-4-5", "usage": '
        '{"input_tokens": 1000, "output_tokens": 1}}}\n\n'
        'event: message_delta\ndata: {"type": "message_delta", "usage": {"output_tokens": 44}}\n\ndata: [DONE]\n'
    )
    found = cl.quote_text(text, table=shipped)
    assert found.cost.total == D("0.00122")  # (1,000 x 1.00 + 44 x 5.00) USD per million
    lines = "\n".join(row[6:] for row in text.splitlines() if row.startswith("data: {"))
    assert cl.quote_text(lines, table=shipped).cost.total == D("0.00122")  # an object a line, too


def test_a_record_of_the_command_line_is_read_as_it_is(shipped: cl.PriceTable) -> None:
    record = {"provider": "openai", "model": "gpt-5-mini", "counts": {"input_tokens": 1_000_000}, "at": "2026-11-20"}
    assert cl.quote_text(json.dumps(record), table=shipped).cost.total == D("0.25")
    batch = {**record, "when": {"processing": "batch"}}
    assert cl.quote_text(json.dumps(batch), table=shipped).cost.total == D("0.125")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "there is no text"),
        ('{"a":\n 1,}', "line 2: broken JSON"),
        ("data: {}\ndata: {x}", "line 2: broken JSON"),
        ('"word"', "line 1: must be an object of JSON, not str"),
        ('{"model": "gpt-5",\n "usage": {\n"prompt_tokens": -4}}', "line 3, usage.prompt_tokens: a count must be"),
        ('{"model": "gpt-5", "usage":\n {"prompt_tokens": "a"}}', "line 2, usage.prompt_tokens: a count must"),
        ('{"counts": {"bogus": 1}}', "line 1, bogus: unknown unit 'bogus'"),
        ('{"counts": {}, "at": "soon"}', "line 1, at: "),
        ("[" * 300 + "]" * 300, "line 1: nested more than 200 deep"),
        ('{"a": "' + "x" * MAX_PASTED + '"}', "has more than 1000000 bytes, the most that is read"),
    ],
)  # fmt: skip
def test_a_wrong_text_names_its_place(shipped: cl.PriceTable, text: str, told: str) -> None:
    with pytest.raises(cl.BadInput) as refused:
        cl.quote_text(text, table=shipped)
    assert str(refused.value).startswith(told)


def test_a_text_without_usage_is_not_free(shipped: cl.PriceTable) -> None:
    for text in ('{"hello": 1}', '{"error": {"message": "no"}}', "[]"):
        found = cl.quote_text(text, table=shipped)
        assert (found.cost.total, found.cost.lower_bound, found.cost.free) == (0, True, False)
        assert not found.counts
