"""One model call from what a recording has of it: a raw usage block through the door, or named figures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from costlab.importers.fields import Foreign
from costlab.responses import Reading, read_usage
from costlab.runs import Attempt, ModelCall
from costlab.usage import UsageWarning

# A request that the provider turned away before any model ran: it bills nothing for it. Names are the SDKs'.
_TURNED_AWAY = re.compile(
    r"\b(RateLimit|Authentication|PermissionDenied|BadRequest|NotFound|InvalidRequest|UnprocessableEntity|Overloaded|"
    r"ContextWindowExceeded|UnsupportedParams)(Error|Exception)?\b|\b(400|401|403|404|413|422|429|529)\b"
)


def metered(call: ModelCall, usage: Foreign, **beside: object) -> ModelCall:
    """Return the call with the counts, tier, parts, bounds and stated cost of its raw usage block.

    `beside` is what stands beside the block (`usage_message_start`, `billable_items`, `request`). A block of nothing
    but zeros (proxies and streams write them) says nothing: no model answers on no tokens. Raises BadInput.
    """
    reading = read_usage(usage, provider=call.provider or None, model=call.model or None, api=call.api, **beside)  # type: ignore[arg-type]
    return unmetered(with_reading(call, reading, usage))


def with_reading(call: ModelCall, reading: Reading, usage: Foreign) -> ModelCall:
    """Return the call with what a reading says, its raw block beside it."""
    return replace(call, **said(call, reading, usage))


def said(call: ModelCall, reading: Reading, usage: Foreign) -> dict[str, Any]:
    """Return the fields of a call that a reading decides, by name, with the raw block."""
    return {
        "counts": dict(reading.counts),
        "usage_basis": reading.usage_basis,
        "service_tier": reading.service_tier or call.service_tier,
        "when": {**call.when, **reading.when},
        "raw_usage": dict(usage),
        "stated_cost": reading.stated_usd if reading.stated_usd is not None else call.stated_cost,
        "parts": reading.parts,
        "bounds": tuple(dict.fromkeys((*call.bounds, *(f"{why}:{u}" if u else why for why, u in reading.bounds)))),
        "warnings": (*call.warnings, *reading.warnings),
    }


def unmetered(call: ModelCall, *, embeds: bool = False) -> ModelCall:
    """Return a call with a bound for what its recording does not state, where that may have cost something.

    No usage at all: unknown counts. A total alone counts as input, which is the cheaper side, unless the call `embeds`
    and has no output.
    """
    if any(call.counts.values()):
        alone = not embeds and any(note.code == "total_only" for note in call.warnings)
        return replace(call, bounds=(*call.bounds, "unmetered:output_tokens")) if alone else call
    bounds = call.bounds if call.status == "error" else tuple(dict.fromkeys((*call.bounds, "unmetered")))
    return replace(call, usage_basis="unknown", bounds=bounds)


def failed(call: ModelCall, error: str, at: datetime | None = None, status: int | None = None) -> ModelCall:
    """Return a call that ended in an error, with its one try; a request that was turned away is not billed."""
    turned_away = (400 <= status < 500 or status == 529) if status else bool(_TURNED_AWAY.search(error[:400]))
    tried = Attempt(at or call.started_at, status, error[:500], billed="no" if turned_away else "unknown")
    return replace(call, status="error", error=error[:500], attempts=call.attempts or (tried,))


def client_cost(figure: object) -> UsageWarning:
    """Say that a stated cost is a client's own arithmetic, not the provider's bill."""
    return UsageWarning("client_cost", "stated_cost", f"{figure} USD, computed by the client from its own price table")


def figures(source: Mapping[str, object]) -> dict[str, object]:
    """Return a foreign figures block without what says nothing."""
    return {key: value for key, value in source.items() if value is not None}
