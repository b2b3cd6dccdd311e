"""One call asked about by itself, with everything needed to price it.

A call is a response, a usage block or counts: what `price --jsonl` answers and what the app's page Paste shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from costlab.cost import Cost, price_call, rate_gone
from costlab.errors import BadInput, TooLarge
from costlab.files import parse_json
from costlab.prices import WHEN_KEYS, PriceTable, Resolved, call_moment
from costlab.responses import Reading, read_response, read_usage
from costlab.runs import ModelCall
from costlab.usage import Number, UsageWarning, add, checked, complete, leaves

FIELDS = (
    "id", "provider", "model", "api", "response", "usage", "usage_message_start", "billable_items",
    "upstream_provider", "counts", "at", "service_tier", "when", "request",
)  # fmt: skip
MAX_PASTED = 1_000_000  # bytes
_DAYS = ("created", "created_at", "createTime", "create_time", "timestamp")  # where bodies say when they were made


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


def pasted(text: str, provider: str | None = None, model: str | None = None) -> dict[str, object]:
    """Return the record that a pasted text is: a whole response, a stream's events, a usage block or a record.

    A day that the body states becomes the record's `at`. Raises BadInput with line and field, TooLarge.
    """
    if len(text.encode("utf-8", "replace")) > MAX_PASTED:
        raise TooLarge(f"has more than {MAX_PASTED} bytes, the most that is read")
    if not text.strip():
        raise BadInput("there is no text")
    value = _values(text)
    if not isinstance(value, Mapping | list):
        raise BadInput(f"must be an object of JSON, not {type(value).__name__}", line=1)
    named = {key: word for key, word in (("provider", provider), ("model", model)) if word}
    if isinstance(value, Mapping) and set(value) <= set(FIELDS) and {"response", "usage", "counts"} & set(value):
        return {**value, **named}
    try:
        return {**_body_or_block(value, provider, model), **_said_day(value), **named}
    except BadInput as problem:
        raise located(problem, text) from None


def located(problem: BadInput, text: str) -> BadInput:
    """Return an error about a field with the line that the field stands on, where it stands on one alone."""
    key = f'"{(problem.field or "").rpartition(".")[2]}"'
    places = [place for place, line in enumerate(text.splitlines(), 1) if key in line]
    return problem.at(line=places[0]) if len(places) == 1 else problem


def _values(text: str) -> object:
    """Return a JSON text's value, or the list of events of a stream: `data: ...` lines, or an object a line."""
    rows = [(place, row.strip()) for place, row in enumerate(text.splitlines(), 1) if row.strip()]
    if rows[0][1].startswith(("data:", "event:", "id:", ":")):
        events = [(place, row[5:].strip()) for place, row in rows if row.startswith("data:")]
        return [parse_json(row, file=None, line=place) for place, row in events if row != "[DONE]"]
    if len(rows) > 1 and all(row.startswith("{") and row.endswith("}") for _, row in rows):
        return [parse_json(row, file=None, line=place) for place, row in rows]
    return parse_json(text, file=None)


def _body_or_block(
    value: Mapping[str, object] | list[object], provider: str | None, model: str | None
) -> dict[str, object]:
    """Return the value as a response, unless only as a usage block it says what was used."""
    whole = read_response(value, provider=provider, model=model)
    block = isinstance(value, Mapping) and not whole.counts
    return (
        {"usage": value} if block and read_usage(value, provider=provider, model=model).counts else {"response": value}
    )


def _said_day(value: Mapping[str, object] | list[object]) -> dict[str, object]:
    """Return `at` where a body, its `response` or a stream's first event says when it was made."""
    first = value[0] if isinstance(value, list) and value else value
    for body in (first, first.get("response")) if isinstance(first, Mapping) else ():
        said = next((body[key] for key in _DAYS if body.get(key)), None) if isinstance(body, Mapping) else None
        if isinstance(said, int | float) and not isinstance(said, bool) and 1e9 < said < 1e10:
            return {"at": datetime.fromtimestamp(said, UTC).isoformat()}
        if isinstance(said, str):
            try:
                return {"at": call_moment(said).isoformat()}
            except BadInput:
                continue
    return {}
