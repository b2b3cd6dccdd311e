"""What a call used: the server's own usage block before a library's, counted before unknown, and what it may use."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from costlab.cost import Cost, price_call
from costlab.errors import BadInput
from costlab.importers.calls import said, unmetered
from costlab.importers.providers import served_by
from costlab.importers.smolagents_live import provider_of_model
from costlab.live.asking import Asked
from costlab.live.budget import Budget, Later, Need, Reserve
from costlab.live.calling import Exchange, OpenCall
from costlab.live.wire import Trip, block_of
from costlab.models import ModelFacts
from costlab.prices import PriceBook, PriceTable
from costlab.responses import Reading, read_response, read_usage
from costlab.runs import LOCAL_PROVIDERS, ModelCall, Part
from costlab.usage import Number, UsageWarning, add

_TOKENS_PER_BYTE = 1 / 3  # of a prompt at worst, until a model is seen to need more
_SEEN_MARGIN = 1.1
_BYTES_PER_TOKEN_AT_MOST = 6  # of a prompt that nobody counted: a lower bound

Who = tuple[str, str]


@dataclass
class Meter:
    """Names models, reads what calls used, and prices them with one table."""

    table: PriceTable
    facts: Mapping[Who, ModelFacts] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)

    def __post_init__(self) -> None:
        self._book = PriceBook(self.table)
        self._names: dict[tuple[int, str], Who] = {}
        self._per_byte: dict[Who, float] = {}

    # names

    def who(self, model: object, name: str) -> Who:
        """Return (provider, model) of a model object and the name it asks for.

        A server on this machine that answers to a hosted model's name passes it on to its maker; any other name there
        is a model that runs locally.
        """
        key = (id(model), name)
        if key not in self._names:
            self._names[key] = self._named(model, name)
        return self._names[key]

    def _named(self, model: object, name: str) -> Who:
        who, short = served_by("" if "://" in name else name, provider_of_model(model, name))
        if who not in LOCAL_PROVIDERS:
            return who, short
        _, slash, rest = name.partition("/")
        hosted, bare = served_by(name) if slash else ("openai", name)
        if hosted in LOCAL_PROVIDERS or not hosted:
            return who, short
        if self.table.resolve(hosted, bare) is not None:
            return hosted, bare
        return who, rest if hosted == "openai" and slash else short

    def priced(self, who: Who) -> bool:
        """Return whether a model's tokens have a price; what runs locally is billed by nobody and has none."""
        found = self.table.resolve(who[0] or None, who[1]) if who[1] else None
        known = self._book.model(found) if found is not None else None
        return known is not None and (who[0] not in LOCAL_PROVIDERS or any(rate.price for rate in known[0].rows))

    # before

    def reserve(self, asked: Asked, who: Who) -> Reserve:
        """Return what a request may use at worst."""
        tokens = asked.tokens_at_most(self._per_byte.get(who, _TOKENS_PER_BYTE))
        limit = asked.max_tokens
        if limit is None and self.budget.strict:
            found = self.table.resolve(who[0] or None, who[1])
            facts = self.facts.get((found.provider, found.model)) if found else None
            limit = facts.max_output_tokens if facts else None
        if self.budget.usd is None:
            return Reserve(Need(Decimal(0), tokens), Decimal(0), limit)
        dear = max(self._usd(who, {"input_tokens": tokens, **more}) for more in ({}, {"cache_write_tokens": tokens}))
        return Reserve(
            Need(dear, tokens), self._usd(who, {"output_tokens": 1_000}) / 1_000, limit, self.priced(who)
        )  # fmt: skip

    def _usd(self, who: Who, counts: Mapping[str, Number]) -> Decimal:
        return self.cost(ModelCall("", *who, counts)).total

    def cost(self, call: ModelCall) -> Cost:
        """Return what a call costs now, in USD."""
        return price_call(call, self._book, now=datetime.now(UTC))

    # after

    def booked(self, open_call: OpenCall, call: ModelCall) -> Later:
        """Return what a call counts against the budget: what is measured, else the worst that it may have been."""
        reserve = open_call.reserve
        if reserve is None or (call.usage_basis in ("measured", "counted") and call.status != "cut"):
            return _Once(self, call)
        used = self._at_worst(open_call, call, reserve)
        return lambda: used

    def stated(self, call: ModelCall) -> Need:
        """Return what a call says that it used, and what that costs now."""
        return Need(self.cost(call).total, int(_tokens(call)))

    def _at_worst(self, open_call: OpenCall, call: ModelCall, reserve: Reserve) -> Need:
        stated = self.stated(call)
        sent = [t for t in open_call.trips if t.billed != "no"]
        if not sent and (open_call.trips or call.status == "error"):
            return stated  # every try was turned away
        output = max(open_call.output_so_far(), int(call.counts.get("output_tokens", 0)))
        guessed = reserve.after(output)
        if call.status == "error" and reserve.limit:
            guessed = reserve.worst
        return Need(max(stated.usd, guessed.usd), max(stated.tokens, guessed.tokens))

    def learn(self, open_call: OpenCall, call: ModelCall) -> None:
        """Note how many tokens a byte of prompt was, where that is more than was thought."""
        read = call.counts.get("input_tokens", 0)
        asked = open_call.exchanges[0].asked if len(open_call.exchanges) == 1 else None
        if call.usage_basis == "measured" and asked and asked.size and not asked.pictures and not call.parts:
            who = self.who(open_call.model, asked.model)
            known = self._per_byte.get(who, _TOKENS_PER_BYTE)
            self._per_byte[who] = max(known, float(read) / asked.size * _SEEN_MARGIN)

    def finished(self, open_call: OpenCall, message: Any, error: BaseException | None, /, **told: Any) -> ModelCall:
        """Return the call as it is recorded, with the fields that its recorder has `told`."""
        told |= {
            "status": status_of(open_call, error),
            "duration_s": round(open_call.duration, 6),
            "ttft_s": round(open_call.ttft, 6) if open_call.ttft is not None else None,
        }
        call = self._with_usage(open_call, message, told)
        if call.status == "error" and not any(call.counts.values()) and any(t.billed == "yes" for t in open_call.trips):
            call = replace(call, bounds=(*call.bounds, "unmetered"))  # it was answered, and the library lost the answer
        return lower_bound(open_call, call) if call.status == "cut" else call

    def _with_usage(self, open_call: OpenCall, message: Any, told: Mapping[str, Any]) -> ModelCall:
        """Return the call with the counts of its exchanges; several make parts, each of its own model."""
        opened, found = open_call.opened, []
        assert opened is not None
        for place, exchange in enumerate(open_call.exchanges):
            fields = self._exchange(exchange, trips_of(open_call, place), opened)
            found.append(replace(opened, **told, **fields))  # once: a call has thirty fields
        read = [one for one in found if any(one.counts.values())]
        if not read:
            call = replace(opened, **told, model=found[-1].model if found else opened.model)
            return unmetered(self._counted(open_call, call, message))
        if len(read) == 1:
            return read[0]
        parts = tuple(Part(c.provider, c.model, c.counts, c.service_tier) for c in read)
        basis = "measured" if all(c.usage_basis == "measured" for c in read) else "estimated"
        warnings = tuple(w for c in read for w in c.warnings)
        return replace(read[-1], counts=add(p.counts for p in parts), parts=parts, usage_basis=basis, warnings=warnings)

    def _exchange(self, exchange: Exchange, trips: list[Trip], call: ModelCall) -> dict[str, Any]:
        """Return the fields of a call as one of its exchanges alone tells them."""
        provider, asked_for = self.who(exchange.source, exchange.asked.model)
        model, notes = self._answered_as(provider, asked_for, exchange.model)
        try:
            found = self._said(exchange, trips, call, (provider, model))
        except BadInput as problem:
            note = UsageWarning("usage_unreadable", problem.field or "usage", problem.problem)
            found = {"usage_basis": "unknown", "warnings": (*call.warnings, note)}
        tier = found.pop("service_tier", None) or exchange.tier
        warnings = (*found.pop("warnings", call.warnings), *notes)
        return {**found, "provider": provider, "model": model, "service_tier": tier, "warnings": warnings}

    def _said(self, exchange: Exchange, trips: list[Trip], call: ModelCall, who: Who) -> dict[str, Any]:
        """Return the fields of a call that usage decides: the wire's, else the library's; raises BadInput."""
        served = [t for t in trips if t.status is not None and t.status < 400]
        told = next((t.body.told for t in reversed(served) if t.body.told is not None), None)
        if told is not None:
            reading = read_response(told, provider=who[0] or None, model=who[1], request=exchange.asked.extra)
            return _spoken(call, reading, block_of(told))
        stated = exchange.stated()
        if not any(stated.values()):
            return {}
        reading = read_usage(stated, provider=who[0] or None, model=who[1])
        if served and any(reading.counts.values()):
            reading = made_up(reading)
        return _spoken(call, reading, stated)

    def _answered_as(self, provider: str, asked: str, answered: str | None) -> tuple[str, tuple[UsageWarning, ...]]:
        """Return the model as the answer names it, unless only the name that was asked for has a price."""
        if not asked and answered and "://" not in answered:  # the request named an address
            return answered, ()
        if not answered or answered == asked or provider in LOCAL_PROVIDERS:
            return asked, ()
        _, short = served_by(answered, provider)
        if self.priced((provider, short)) or not self.priced((provider, asked)):
            return short, ()
        return asked, (UsageWarning("answered_as", "model", f"the answer names its model {answered[:80]}"),)

    def _counted(self, open_call: OpenCall, call: ModelCall, message: Any) -> ModelCall:
        """Return a call without usage on the wire with what the model object says, else with its tokenizer's counts."""
        seen = any(t.status is not None and t.status < 400 for t in open_call.trips)
        stated = open_call.stated
        usage = getattr(message, "token_usage", None)
        if stated is None and usage is not None:
            stated = (int(getattr(usage, "input_tokens", 0) or 0), int(getattr(usage, "output_tokens", 0) or 0))
        if stated is not None and any(stated) and not seen:
            counts = {"input_tokens": stated[0], "output_tokens": stated[1]}
            return replace(call, counts=counts, usage_basis="measured", raw_usage=counts)
        return tokenized(open_call, call) if call.status == "ok" else call


@dataclass(slots=True)
class _Once:
    """What a call used, priced when it is first asked for; without a limit nobody may ever ask."""

    meter: Meter
    call: ModelCall
    need: Need | None = None

    def __call__(self) -> Need:
        self.need = self.need or self.meter.stated(self.call)
        return self.need


def _spoken(call: ModelCall, reading: Reading, usage: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a call that a reading decides, with the wire that its usage block speaks."""
    return {**said(call, reading, usage), "api": reading.api if reading.api != "unknown" else call.api}


def made_up(reading: Reading) -> Reading:
    """Return a library's own count of a stream whose server stated none: an estimate, whatever it looks like."""
    note = UsageWarning("usage_made_up", "usage", "the server stated no usage; the client library counted it by itself")
    return replace(reading, usage_basis="estimated", warnings=(*reading.warnings, note))


def status_of(open_call: OpenCall, error: BaseException | None) -> str:
    """Return ok, cut (something was served and then no more) or error."""
    if error is None:
        return "ok"
    if open_call.received.pieces or any(e.served for e in open_call.exchanges if open_call.streamed):
        return "cut"
    refused = all(t.billed == "no" for t in open_call.trips)
    return "cut" if open_call.recorder.halted is not None and open_call.trips and not refused else "error"


def trips_of(open_call: OpenCall, place: int) -> list[Trip]:
    """Return the tries of one exchange."""
    firsts = [e.first_trip for e in open_call.exchanges]
    end = firsts[place + 1] if place + 1 < len(firsts) else len(open_call.trips)
    return open_call.trips[firsts[place] : end]


def lower_bound(open_call: OpenCall, call: ModelCall) -> ModelCall:
    """Return a call that was cut with what was served at least: each piece that came is a token or more."""
    counts, size = dict(call.counts), sum(e.asked.size for e in open_call.exchanges)
    pieces, stated = open_call.received.pieces, call.usage_basis == "measured" and bool(counts.get("input_tokens"))
    if pieces > counts.get("output_tokens", 0):
        counts["output_tokens"] = pieces
        stated = False
    if not counts.get("input_tokens") and open_call.received.pieces:
        counts["input_tokens"] = size // _BYTES_PER_TOKEN_AT_MOST
    basis = "measured" if stated else "estimated" if any(counts.values()) else "unknown"
    bounds = tuple(b for b in call.bounds if b != "unmetered")
    return replace(call, counts=counts, usage_basis=basis, bounds=tuple(dict.fromkeys((*bounds, "cut"))))


def tokenized(open_call: OpenCall, call: ModelCall) -> ModelCall:
    """Return a call with the counts of the model object's own tokenizer, if it has one; else as it is."""
    tokenizer = getattr(open_call.model, "tokenizer", None)
    asked = open_call.exchanges[-1].asked if open_call.exchanges else None
    if tokenizer is None or asked is None:
        return call
    said = open_call.output if isinstance(open_call.output, Mapping) else {}
    answer, messages = str(said.get("content") or ""), [one.value for one in asked.messages]
    with suppress(Exception):  # whatever somebody else's tokenizer does, the run goes on
        framed = tokenizer.apply_chat_template(messages, tokenize=True, add_generation_prompt=True)
        counts = {"input_tokens": len(framed), "output_tokens": len(tokenizer.encode(answer))}
        return replace(call, counts=counts, usage_basis="counted")
    with suppress(Exception):
        texts = " ".join(str(one.get("content")) for one in messages if isinstance(one, Mapping))
        counts = {"input_tokens": len(tokenizer.encode(texts)), "output_tokens": len(tokenizer.encode(answer))}
        return replace(call, counts=counts, usage_basis="estimated")
    return call


def _tokens(call: ModelCall) -> Number:
    return call.counts.get("input_tokens", 0) + call.counts.get("output_tokens", 0)
