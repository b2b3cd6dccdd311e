"""Drawn calls, and the kinds of difference between our price of a call and another tool's.

A kind is a change of our own question: other prices or other counts, by a rule that holds for every call to which it
applies. A difference is explained by the fewest kinds that, asked together, give the other tool's figure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import combinations
from random import Random
from typing import Any

import costlab as cl
from costlab.catalog import genai_map, litellm_map
from costlab.catalog.litellm_names import identity

DAY = datetime(2026, 11, 20, 12, tzinfo=UTC)
LITELLM, GENAI = "litellm", "genai-prices"
Counts = dict[str, int]


@dataclass(frozen=True)
class OneSource(Mapping[tuple[str, str], tuple[cl.Rate, ...]]):
    """The rows that one source has in the catalogue, without our corrections."""

    rates: Mapping[tuple[str, str], tuple[cl.Rate, ...]]
    source: str
    trusting: bool = False  # whether a source's 0 is a price

    def __getitem__(self, key: tuple[str, str]) -> tuple[cl.Rate, ...]:
        rows = (r for r in self.rates[key] if r.source == self.source and r.layer == "catalog")
        return tuple(replace(r, note="") if self.trusting else r for r in rows)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.rates)

    def __len__(self) -> int:
        return len(self.rates)


@dataclass(frozen=True)
class Ask:
    """One call, as we are asked for its price: on which table, whose model, what counts and conditions."""

    tool: str
    table: cl.PriceTable
    provider: str
    model: str
    counts: Mapping[str, int]
    when: Mapping[str, str]
    at: str
    theirs: Mapping[str, Any]  # the pair as the other tool is asked for it
    factor: Decimal = Decimal(1)
    left_out: tuple[str, ...] = ()
    filled: bool = False  # whether a unit without a rate in the call's tier takes its standard one

    def cost(self) -> cl.Cost:
        """Return our answer."""
        return cl.price(
            self.provider, self.model, self.counts, table=self.table, at=self.at, when=self.when,
            service_tier=self.when.get("service_tier"),
        )  # fmt: skip

    def usd(self) -> Decimal:
        """Return our figure, after what the kinds asked of it."""
        cost = self.cost()
        lines = cost.lines
        if self.filled:
            own = {line.unit for line in lines if line.priced_as == line.unit}
            priced = {line.unit for line in lines}
            standard = [line for line in _standard(self).cost().lines if line.unit not in own]
            standard = [line for line in standard if line.unit not in priced or line.priced_as == line.unit]
            taken = {line.unit for line in standard}
            lines = (*(line for line in lines if line.unit not in taken), *standard)
        return sum((line.amount for line in lines if line.unit not in self.left_out), Decimal(0)) * self.factor


def drawn(random: Random, edges: set[int]) -> Counts:
    """Draw inclusive counts of a call; often one token to either side of an edge of the model's."""
    size = random.randrange(1, 40_000)
    if edges and random.random() < 0.4:
        size = random.choice(sorted(edges)) + random.choice((-1, 0, 1, random.randrange(1, 50_000)))
    output = random.randrange(1, 8_000)
    counts = {"input_tokens": size, "output_tokens": output}
    if random.random() < 0.5:
        counts["cache_read_tokens"] = random.randrange(size // 2 + 1)
    if random.random() < 0.3:
        written = counts["cache_write_tokens"] = random.randrange(size // 4 + 1)
        if random.random() < 0.4:
            counts |= {"cache_write_1h_tokens": written // 2, "cache_write_5m_tokens": written - written // 2}
    if random.random() < 0.15:
        counts["input_image_tokens"] = size // 5
    if random.random() < 0.08:
        counts["input_audio_tokens"] = size // 6
    if random.random() < 0.4:
        counts["output_reasoning_tokens"] = random.randrange(output + 1)
    return {unit: n for unit, n in counts.items() if n}


def _tier(random: Random) -> dict[str, str]:
    tiers = ({"service_tier": "priority"}, {"service_tier": "flex"}, {"processing": "batch"})
    return random.choice(tiers) if random.random() < 0.15 else {}


def _edges(table: cl.PriceTable, key: tuple[str, str]) -> set[int]:
    return {r.input_over for r in table.rates.get(key, ()) if r.input_over}


@cache
def _entries() -> dict[str, dict[str, object]]:
    return litellm_map.read(litellm_map.installed())


@cache
def _named_twice() -> frozenset[tuple[str, str]]:
    """Models that several keys of litellm's map name."""
    said = [identity(key, str(entry.get("litellm_provider") or "")) for key, entry in _entries().items()]
    number = Counter(one[:2] for one in said if one and not one[2])
    return frozenset(who for who, n in number.items() if n > 1)


def of_litellm(table: cl.PriceTable, number: int, seed: int) -> Iterator[Ask]:
    """Draw calls of models in litellm's map.

    Left out: prices by the hour, which it takes at the machine's own clock, and Copilot, where it asks to sign in.
    """
    random = Random(seed)
    entries = _entries()
    keys = [k for k, e in entries.items() if e.get("mode") in ("chat", "responses") and "off_peak_pricing" not in e]
    keys = [k for k in keys if not k.startswith("github_copilot/")]
    rich = [k for k in keys if sum("cost" in field for field in entries[k]) > 4 or "tiered_pricing" in entries[k]]
    for key in (*random.sample(keys, number // 2), *random.sample(rich, number // 2)):
        whose = str(entries[key]["litellm_provider"])
        said = identity(key, whose)
        if said is None:
            continue
        provider, model, spelled = said
        counts, tier = drawn(random, _edges(table, (provider, model))), _tier(random)
        asked = {"tool": LITELLM, "key": key, "litellm_provider": whose, "counts": counts, "when": tier}
        yield Ask(LITELLM, table, provider, model, counts, {**dict(spelled), **tier}, DAY.isoformat(), asked)


def of_genai(table: cl.PriceTable, number: int, seed: int) -> Iterator[Ask]:
    """Draw calls of genai-prices' models, half of them on some day of the last two years, by a name it knows."""
    random = Random(seed)
    models = [(p, m) for p in genai_map.providers() for m in p.models]
    rich = [(p, m) for p, m in models if isinstance(m.prices, list) or m.price_variants or "tiers" in str(m.prices)]
    for provider, model in (*random.sample(models, number // 2), *random.sample(rich, number // 2)):
        names = [model.id, *genai_map.names(model.match)]
        name = next((n for n in names if (found := provider.find_model(n)) and found.id == model.id), None)
        who = table.resolve(provider.id, name) if name else None
        if name is None or who is None:
            continue
        at = DAY - timedelta(hours=random.choice((0, random.randrange(24 * 700))))
        counts, tier = drawn(random, _edges(table, (who.provider, who.model))), _tier(random)
        asked = {"tool": GENAI, "provider": provider.id, "model": name, "counts": counts, "when": tier,
                 "at": at.isoformat()}  # fmt: skip
        yield Ask(GENAI, table, provider.id, name, counts, tier, at.isoformat(), asked)


# ---- the kinds: name, whether it can apply to a call, and the question that it turns ours into


def _listed(ask: Ask) -> Ask:
    return replace(ask, table=replace(ask.table, rates=OneSource(ask.table.rates, ask.tool)))


def _trusting(ask: Ask) -> Ask:
    return replace(ask, table=replace(ask.table, rates=OneSource(ask.table.rates, ask.tool, trusting=True)))


def _standard(ask: Ask) -> Ask:
    return replace(ask, when={k: v for k, v in ask.when.items() if k not in ("service_tier", "processing")})


def _filled(ask: Ask) -> Ask:
    return replace(ask, filled=True)


def _without(*gone: str) -> Callable[[Ask], Ask]:
    return lambda ask: replace(ask, counts={k: n for k, n in ask.counts.items() if k not in gone})


CACHE = ("cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "cache_write_5m_tokens")


def _plain_write(ask: Ask) -> Ask:
    return _without("cache_write_1h_tokens", "cache_write_5m_tokens")(ask)


def _no_multiple(ask: Ask) -> Ask:
    return replace(ask, table=replace(ask.table, write_multiple=None))


def _half_batch(ask: Ask) -> Ask:
    return replace(_standard(ask), factor=Decimal("0.5"))


def _half_hits(ask: Ask) -> Ask:
    rows = [
        replace(r, unit="cache_read_tokens", price=r.price / 2)
        for r in ask.table.rates[ask.provider, ask.model]
        if r.unit == "input_tokens" and r.price is not None
    ]
    return replace(ask, table=ask.table.edited(rows))


def _leaving_out(*units: str) -> Callable[[Ask], Ask]:
    return lambda ask: replace(ask, left_out=(*ask.left_out, *units))


@dataclass(frozen=True)
class Sieved(Mapping[tuple[str, str], tuple[cl.Rate, ...]]):
    """The rows of a table that a rule keeps."""

    rates: Mapping[tuple[str, str], tuple[cl.Rate, ...]]
    keep: Callable[[cl.Rate], bool]

    def __getitem__(self, key: tuple[str, str]) -> tuple[cl.Rate, ...]:
        return tuple(filter(self.keep, self.rates[key]))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.rates)

    def __len__(self) -> int:
        return len(self.rates)


def _base_tier(ask: Ask) -> Ask:
    return replace(ask, table=replace(ask.table, rates=Sieved(ask.table.rates, lambda r: r.input_over is None)))


def _pictures_at_base(ask: Ask) -> Ask:
    rows = ask.table.rates[ask.provider, ask.model]
    base = next(r for r in rows if r.unit == "input_tokens" and r.input_over is None and not r.when and r.price)
    return replace(ask, table=ask.table.edited([replace(base, unit="input_image_tokens")]))


def _own_entry(ask: Ask) -> Ask:
    """Only what litellm's map has under the key that it looks up."""
    key, whose = ask.theirs["key"], ask.theirs["litellm_provider"]
    entry = _entries().get(f"{whose}/{key}") or _entries()[key]
    rows = [
        cl.Rate(ask.provider, ask.model, p.unit, p.usd, 1, when=p.when, input_over=p.input_over, source=LITELLM)
        for p in litellm_map.prices(entry, ask.provider)
    ]
    return replace(ask, table=replace(ask.table, rates={(ask.provider, ask.model): tuple(rows)}))


def _prefix_once(ask: Ask) -> Ask:
    return replace(ask, model=ask.model.removeprefix(f"{ask.provider}/"))


def _later(ask: Ask) -> Ask:
    """The same weekday and hour in the week before the day of the draw."""
    at = datetime.fromisoformat(ask.at)
    return replace(ask, at=(at + timedelta(weeks=(DAY - at).days // 7)).isoformat())


def _nothing(ask: Ask) -> Ask:
    return replace(ask, factor=Decimal(0))


def _sound_at_standard(ask: Ask) -> Ask:
    kept = Sieved(ask.table.rates, lambda r: r.unit != "input_audio_tokens" or not r.when)
    return replace(ask, table=replace(ask.table, rates=kept))


def _own_region(ask: Ask) -> Ask:
    """Only the rows of the call's region: what the source lists under that region's own name."""
    region = ("region", ask.when["region"])
    return replace(ask, table=replace(ask.table, rates=Sieved(ask.table.rates, lambda r: region in r.when)))


def _tiered(ask: Ask) -> bool:
    return bool({"service_tier", "processing"} & set(ask.when))


def _batch(ask: Ask) -> bool:
    return ask.tool == LITELLM and "processing" in ask.when


def _at(provider: str, tool: str) -> Callable[[Ask], bool]:
    return lambda ask: (ask.provider, ask.tool) == (provider, tool)


def _counts(unit: str) -> Callable[[Ask], bool]:
    return lambda ask: unit in ask.counts


KINDS: tuple[tuple[str, Callable[[Ask], bool], Callable[[Ask], Ask]], ...] = (
    ("other list", lambda ask: True, _listed),
    ("standard for a tier", _tiered, _filled),
    ("zero taken for free", lambda ask: True, _trusting),
    ("hour as five minutes", _counts("cache_write_1h_tokens"), _plain_write),
    ("write at input", _counts("cache_write_tokens"), _no_multiple),
    ("own region", lambda ask: "region" in ask.when, _own_region),
    ("hours at every date", _at("deepseek", GENAI), _later),
    ("other key", lambda ask: ask.tool == LITELLM and (ask.provider, ask.model) in _named_twice(), _own_entry),
    ("prefix once", lambda ask: ask.tool == LITELLM and ask.model.startswith(f"{ask.provider}/"), _prefix_once),
    ("tier ignored", lambda ask: ask.tool == LITELLM and "service_tier" in ask.when, _standard),
    ("sound at standard", lambda ask: ask.tool == LITELLM and "service_tier" in ask.when, _sound_at_standard),
    ("half for a batch", _batch, _half_batch),
    ("nothing for hits", _batch, _leaving_out("cache_read_tokens")),
    ("reasoning as output", _batch, _without("output_reasoning_tokens")),
    ("audio as text", _batch, _without("input_audio_tokens")),
    ("base tier", lambda ask: _batch(ask) or _at("perplexity", LITELLM)(ask), _base_tier),
    ("no cache", _at("perplexity", LITELLM), _without(*CACHE)),
    ("no fee", _at("perplexity", LITELLM), _leaving_out("requests")),
    ("half for hits", _at("fireworks", LITELLM), _half_hits),
    ("pictures at base", _at("x-ai", LITELLM), _pictures_at_base),
    ("entry not found", _at("databricks", LITELLM), _nothing),
)


def same(one: object, other: object) -> bool:
    """Return whether two amounts are one, floats allowed for."""
    a, b = Decimal(str(one)), Decimal(str(other))
    return abs(a - b) <= Decimal("1e-9") * max(abs(a), abs(b))


def kinds_of(ask: Ask, usd: str) -> tuple[str, ...] | None:
    """Return the fewest kinds that explain another tool's figure: () where it is ours, None where nothing does."""
    able = [(name, change) for name, applies, change in KINDS if applies(ask)]
    for number in range(len(able) + 1):
        for some in combinations(able, number):
            asked = ask
            for _, change in some:
                asked = change(asked)
            if same(asked.usd(), usd):
                return tuple(name for name, _ in some)
    return None
