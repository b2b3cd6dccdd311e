"""caching.yml: how providers cache prompts, and which multiples price a write that no table has a rate for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from costlab.media import ModelPattern, bare_model
from costlab.rules.rows import Row, no_twins, read_rules, stamp

_KEYS = frozenset(
    (
        *("id", "providers", "models", "versions", "declared", "write", "read", "lifetime_s", "renewed", "opt_in"),
        *(
            "minimum_tokens",
            "step_tokens",
            "breakpoints",
            "lookback_blocks",
            "note",
            "source",
            "valid_from",
            "valid_to",
        ),
    )
)


@dataclass(frozen=True, slots=True)
class CacheRule:
    """Prompt caching of some models at some providers; multiples are of the input price, None is not stated.

    `write` and `lifetime_s` (seconds) are by lifetime word (5m, 1h, ...), the first is the default. `declared`: the
    write multiples price a write that no table has a rate for. `opt_in`: automatic, explicit (marks) or key.
    """

    id: str
    providers: tuple[str, ...]
    patterns: tuple[ModelPattern, ...]
    write: tuple[tuple[str, Decimal], ...]
    read: Decimal | None
    lifetime_s: tuple[tuple[str, int], ...]
    renewed: bool
    opt_in: str
    source: str
    declared: bool = False
    minimum_tokens: int | None = None
    step_tokens: int | None = None
    breakpoints: int | None = None
    lookback_blocks: int | None = None
    note: str = ""
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class CachingRules:
    """All caching rules in the order of their file: the first that holds counts."""

    rules: tuple[CacheRule, ...]
    version: str = ""

    def find(self, provider: str, model: str, at: date | None = None) -> CacheRule | None:
        """Return how a provider caches a model's prompts on a day (None: now), or None where nothing is known."""
        name = bare_model(model)
        for rule in self.rules:
            started = at is None or rule.valid_from is None or rule.valid_from <= at
            ended = rule.valid_to is not None and (at is None or at >= rule.valid_to)
            served = "*" in rule.providers or provider in rule.providers
            if started and not ended and served and any(p.matches(name) for p in rule.patterns):
                return rule
        return None

    def write_multiple(self, provider: str, model: str, ttl: str | None = None) -> Decimal | None:
        """Return the declared multiple of the input price for a cache write of a lifetime (5m, 1h; None: unstated).

        None where none is declared: such a write is priced by its ancestors.
        """
        rule = self.find(provider, model)
        if rule is None or not rule.declared:
            return None
        return dict(rule.write).get(ttl) if ttl else rule.write[0][1]


def caching_rules(folder: Path) -> CachingRules:
    """Return the caching rules of a pricing folder (`caching.yml`); raises BadInput with its place, or NotFound."""
    return _caching(*stamp(folder / "caching.yml"))


@lru_cache(maxsize=8)
def _caching(file: str, changed_ns: int, size: int) -> CachingRules:
    top, sources, version = read_rules(file)
    rules = tuple(_cache_rule(row, sources) for row in top.rows("rules"))
    no_twins(file, [r.id for r in rules])
    return CachingRules(rules, version)


def _cache_rule(row: Row, sources: Mapping[str, str]) -> CacheRule:
    row.only(_KEYS)
    write, life = row.table("write"), row.table("lifetime_s", {})
    multiples = tuple((key, write.decimal(key)) for key in write.values)
    seconds = tuple((key, life.whole(key)) for key in life.values)
    if not multiples or any(m is None for _, m in multiples):
        raise row.bad("write", "missing: the multiple of each lifetime")
    start, end = row.validity()
    return CacheRule(
        id=row.text("id"),
        providers=row.words("providers") or _missing(row, "providers"),
        patterns=row.patterns(),
        write=tuple((k, m) for k, m in multiples if m is not None),
        read=row.decimal("read"),
        lifetime_s=tuple((k, s) for k, s in seconds if s is not None),
        renewed=row.flag("renewed"),
        opt_in=row.text("opt_in", one_of=("automatic", "explicit", "key")),
        source=row.source(sources),
        declared=row.flag("declared"),
        minimum_tokens=row.whole("minimum_tokens"),
        step_tokens=row.whole("step_tokens"),
        breakpoints=row.whole("breakpoints"),
        lookback_blocks=row.whole("lookback_blocks"),
        note=row.text("note", ""),
        valid_from=start,
        valid_to=end,
    )


def _missing(row: Row, key: str) -> tuple[str, ...]:
    raise row.bad(key, "missing")
