"""One call asked about by itself: a response, a usage block or counts, with everything needed to price it.

This is what `price --jsonl` answers and what the app's paste box shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from costlab.cost import Cost, price_call, rate_gone
from costlab.errors import BadInput
from costlab.prices import WHEN_KEYS, PriceTable, Resolved, call_moment
from costlab.responses import Reading, read_response, read_usage
from costlab.runs import ModelCall
from costlab.usage import Number, UsageWarning, add, checked, complete, leaves

FIELDS = (
    "id", "provider", "model", "api", "response", "usage", "usage_message_start", "billable_items",
    "upstream_provider", "counts", "at", "service_tier", "when", "request",
)  # fmt: skip


@dataclass(frozen=True)
class Quote:
    """A priced call: what its name resolved to, inclusive counts, leaves, its cost then and at today's prices.

    `today` is None where a line that has a rate at the call's date has none today.
    """

    call: ModelCall
    resolved: Resolved
    counts: Mapping[str, Number]
    leaves: Mapping[str, Number]
    cost: Cost
    today: Cost | None
    warnings: tuple[UsageWarning, ...]


def at_today(call: ModelCall, cost: Cost, table: PriceTable, now: datetime) -> Cost | None:
    """Return the call's cost at today's prices, its own weekday and hour kept; None where a rate is gone."""
    today = price_call(call, table, now=now, day=now)
    return None if rate_gone(cost, today) else today


def quote(
    record: Mapping[str, object],
    table: PriceTable,
    *,
    now: datetime,
    day: datetime | None = None,
    context: Callable[[str, str], int | None] | None = None,
) -> Quote:
    """Price one record with the fields of `FIELDS`; raises BadInput naming the field.

    Exactly one of `response` (a whole body), `usage` (a raw block) or `counts` (inclusive, by unit key) is read.
    `context` gives a resolved model's window in tokens, for the warning `exceeds_context`.
    """
    provider, model = _text(record, "provider"), _text(record, "model")
    known = table.resolve(provider, model) if model else None
    window = context(known.provider, known.model) if context and known else None
    reading = _reading(record, provider, model, window)
    name = model or reading.model or ""
    found = table.resolve(provider or reading.provider, name) if name else None
    if found is None and name:
        found = _served_by(table, _text(record, "upstream_provider"), name)
    resolved = found or Resolved(provider or reading.provider or "", name, "none")
    at = record.get("at")
    if at is not None and not isinstance(at, str):
        raise BadInput(f"must be a date or a timestamp, not {at!r}"[:120], field="at")
    call = ModelCall(
        call_id=str(record.get("id") or ""),
        provider=provider or reading.provider or "",
        model=name,
        counts=reading.counts,
        usage_basis=reading.usage_basis,
        service_tier=_text(record, "service_tier") or reading.service_tier,
        when={**reading.when, **_when(record)},
        stated_cost=reading.stated_usd,
        parts=reading.parts,
        started_at=call_moment(at) if at else None,
        bounds=tuple(f"{reason}:{unit}" if unit else reason for reason, unit in reading.bounds),
        warnings=reading.warnings,
    )
    if known is None and found:  # the name stood in the response: price by what it resolved to
        call = replace(call, provider=resolved.provider, model=resolved.model)
    if call.parts and _text(record, "service_tier"):
        call = replace(call, parts=tuple(replace(p, service_tier=call.service_tier) for p in call.parts))
    cost = price_call(call, table, now=now, day=day)
    return Quote(call, resolved, call.counts, _leaves(call), cost, at_today(call, cost, table, now), cost.warnings)


def _served_by(table: PriceTable, upstream: str | None, name: str) -> Resolved | None:
    """Return a routed model at the provider that served it: a router that lists no price of its own passes that on."""
    found = table.resolve(upstream, name) if upstream else None
    return found and Resolved(found.provider, found.model, f"upstream provider {upstream}, {found.by}")


def _leaves(call: ModelCall) -> Mapping[str, Number]:
    """Return the disjoint leaves of the whole call; parts are split on their own, so that sums agree with lines."""
    parts = [part.counts for part in call.parts] or [call.counts]
    return add(leaves(counts)[0] for counts in parts)


def _text(record: Mapping[str, object], field: str) -> str | None:
    value = record.get(field)
    if value is None or isinstance(value, str):
        return value.strip() or None if value else None
    raise BadInput(f"must be text, not {type(value).__name__}", field=field)


def _when(record: Mapping[str, object]) -> dict[str, str]:
    value = record.get("when")
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise BadInput("must be an object of conditions, as in {'processing': 'batch'}", field="when")
    for key, word in value.items():
        if key not in WHEN_KEYS:
            raise BadInput(f"unknown condition {key!r}; known: {', '.join(WHEN_KEYS)}", field="when")
        if not isinstance(word, str):
            raise BadInput(f"must be text, not {word!r}"[:120], field=f"when.{key}")
    return {str(k): str(v) for k, v in value.items()}


def _reading(record: Mapping[str, object], provider: str | None, model: str | None, window: int | None) -> Reading:
    given = [k for k in ("response", "usage", "counts") if record.get(k) is not None]
    if len(given) != 1:
        said = " and ".join(given) or "none"
        raise BadInput(f"one of response, usage or counts is needed, not {said}", field=given[0] if given else "usage")
    if given == ["counts"]:
        counts = record["counts"]
        if not isinstance(counts, Mapping):
            raise BadInput("must be an object of unit keys and numbers", field="counts")
        full, warnings = complete(checked(counts))
        return Reading(full, warnings=warnings, provider=provider, model=model)
    beside = {"billable_items": record.get("billable_items"), "request": record.get("request")}
    api, upstream = _text(record, "api"), _text(record, "upstream_provider")
    if given == ["response"]:
        return read_response(
            record["response"], provider=provider, model=model, api=api, upstream_provider=upstream,
            context_tokens=window, **beside,
        )  # fmt: skip
    return read_usage(
        record["usage"], provider=provider, model=model, api=api, upstream_provider=upstream,
        usage_message_start=record.get("usage_message_start"), context_tokens=window, **beside,
    )  # fmt: skip
