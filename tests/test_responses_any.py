"""Laws over any JSON, and over real recordings: read or refused by name, leaves that add up, totals that agree."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from response_samples import BLOCKS, BODIES, Json, codes, nonzero

from costlab.errors import BadInput
from costlab.responses import Reading, read_response, read_usage
from costlab.usage import add, leaves, units

KEYS = sorted(
    {key for _, _, block, _, _ in BLOCKS for key in json.dumps(block).split('"')[1::2]}
    | {key for _, _, body, _, _, _ in BODIES for key in json.dumps(body).split('"')[1::2]}
    | {"iterations", "usage_breakdown", "server_side_tool_usage_details", "server_tool_use_details", "connectors",
       "cost", "cost_details", "is_byok", "copilot_usage", "token_details", "web_search_options", "error"}
)  # fmt: skip
LEAF = (
    st.none() | st.booleans() | st.integers(-5, 10**16) | st.floats(0, 1e6) | st.just(float("nan"))
    | st.sampled_from(["TEXT", "image", "5m", "1h", "12", "message", "compaction", "response.done", ""])
)  # fmt: skip
JSON = st.recursive(
    LEAF | st.integers(0, 1_000),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=24,
)
PROVIDERS = st.sampled_from(["openai", "anthropic", "google", "bedrock", "xai", "perplexity", "cohere", ""])


def named(problem: BadInput) -> None:
    assert problem.field


def sound(reading: Reading) -> None:
    found, _ = leaves(reading.counts)
    assert all(number >= 0 for number in found.values())
    for side in ("input", "output"):
        tokens = [
            n for unit, n in found.items() if units()[unit].family == "tokens" and units()[unit].direction == side
        ]
        assert sum(tokens) == reading.counts.get(f"{side}_tokens", 0)
    if reading.parts:
        summed = {unit: n for unit, n in add(p.counts for p in reading.parts).items() if n}
        assert summed == {unit: n for unit, n in nonzero(reading).items() if unit in summed}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(usage=st.dictionaries(st.sampled_from(KEYS), JSON, max_size=8), start=JSON, items=JSON, provider=PROVIDERS)
def test_any_usage_is_read_or_refused_by_name(usage: Json, start: object, items: object, provider: str) -> None:
    for more in ({}, {"usage_message_start": start}, {"billable_items": items}, {"request": items}):
        try:
            sound(read_usage(usage, provider=provider, model="m", **more))  # type: ignore[arg-type]
        except BadInput as problem:
            named(problem)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(body=JSON | st.lists(st.dictionaries(st.sampled_from(KEYS), JSON, max_size=4), max_size=4), provider=PROVIDERS)
def test_any_body_is_read_or_refused_by_name(body: object, provider: str) -> None:
    try:
        sound(read_response(body, provider=provider))
    except BadInput as problem:
        named(problem)


def recorded(shared: Path) -> list[Json]:
    return [json.loads(line) for line in (shared / "data" / "responses.jsonl").read_text("utf-8").splitlines()]


def read_recorded(row: Json) -> Reading:
    return read_usage(
        row["usage"],
        provider=row["provider"],
        model=row["model"],
        api=row["api"],
        usage_message_start=row.get("usage_message_start"),
        billable_items=row.get("billable_items"),
        upstream_provider=row.get("upstream_provider"),
        request=row.get("request"),
    )


def test_every_recorded_response_is_read_and_adds_up(shared: Path) -> None:
    rows = recorded(shared)
    assert len(rows) > 1_000
    for row in rows:
        reading = read_recorded(row)
        sound(reading)
        assert reading.api != "unknown"
        # The same with the block inside a body: nothing hangs on how it came. Which key a vendor uses does not matter.
        whole = read_response({"usage": row["usage"]}, provider=row["provider"], model=row["model"], api=row["api"])
        if not row.get("usage_message_start") and not row.get("billable_items"):
            assert nonzero(whole) == nonzero(reading)


def test_recorded_totals_differ_only_for_the_reasons_documented(shared: Path) -> None:
    allowed = {"xai-grpc", "gemini"}  # cached beyond the prompt; the Live API leaves thoughts out of its total
    differing = [r["api"] for r in recorded(shared) if "total_differs" in codes(read_recorded(r))]
    assert set(differing) <= allowed
    assert len(differing) <= 0.01 * len(recorded(shared))


def test_recorded_costs_are_the_bills(shared: Path) -> None:
    billed = [r for r in recorded(shared) if r.get("billed_cost_usd") is not None]
    for row in billed:
        usage = {**row["usage"], **({"copilot_usage": row["copilot_usage"]} if row.get("copilot_usage") else {})}
        stated = read_usage(usage, provider=row["provider"], model=row["model"]).stated_usd
        assert stated is not None
        assert float(stated) == pytest.approx(row["billed_cost_usd"], rel=1e-9)
