"""Price tables: rates by provider and model, names, and edits laid over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from zlib import crc32

from costlab.prices.rates import ModelRates, Rate
from costlab.showing import Shown


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a name was resolved to: `by` is exact, alias (and which), or none."""

    provider: str
    model: str
    by: str


@dataclass(frozen=True, slots=True)
class Names:
    """Names of providers and models: aliases by exact text, and which models each provider has.

    `providers`: spelling -> id. `aliases`: (provider or '', alias) -> (provider, model). `makers`: (provider, what the
    bare names of its own models begin with), in order of preference.
    """

    providers: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    makers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Laid(Mapping[tuple[str, str], tuple[Rate, ...]]):
    """Rows of some models over a table's own: what `over` has stands for all rows of that model."""

    over: Mapping[tuple[str, str], tuple[Rate, ...]]
    below: Mapping[tuple[str, str], tuple[Rate, ...]]

    def __getitem__(self, key: tuple[str, str]) -> tuple[Rate, ...]:
        return self.over[key] if key in self.over else self.below[key]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        yield from self.below
        yield from (key for key in self.over if key not in self.below)

    def __len__(self) -> int:
        return len(self.below) + sum(key not in self.below for key in self.over)


@dataclass(frozen=True, slots=True)
class PriceTable(Shown):
    """An immutable set of rates by (provider, model); an edited table is a new one.

    `version` is a hash of the content; `read_at` the day on which the oldest of its sources was read.
    """

    rates: Mapping[tuple[str, str], tuple[Rate, ...]]
    names: Names = field(default_factory=Names)
    version: str = ""
    read_at: date | None = None
    resolver: Callable[[PriceTable, str | None, str], Resolved | None] | None = None
    write_multiple: Callable[[str, str, str | None], Decimal | None] | None = None

    def resolve(self, provider: str | None, model: str) -> Resolved | None:
        """Return what a foreign name means in this table: exact, then by an alias, else None."""
        if provider and (provider, model) in self.rates:
            return Resolved(provider, model, "exact")
        return self.resolver(self, provider, model) if self.resolver else None

    def find(self, provider: str, model: str) -> ModelRates | None:
        """Return all rows of an exactly named model, or None. Use `resolve` first for foreign names."""
        rows = self.rates.get((provider, model))
        return ModelRates(provider, model, tuple(rows)) if rows else None

    def edited(self, rows: Iterable[Rate], *, layer: str = "session", version: str | None = None) -> PriceTable:
        """Return a new table with rows laid over this one; only the groups they name change."""
        laid: dict[tuple[str, str], list[Rate]] = {}
        for row in rows:
            laid.setdefault((row.provider, row.model), []).append(replace(row, layer=layer))
        # Laid beside the rest, not copied into it: a table read from files parses a model's rows when it is asked.
        below = self.rates.below if isinstance(self.rates, Laid) else self.rates
        over = dict(self.rates.over) if isinstance(self.rates, Laid) else {}
        for key, new in laid.items():
            groups = {r.group for r in new}
            kept = [r for r in self.rates.get(key, ()) if not (r.layer == layer and r.group in groups)]
            over[key] = (*kept, *new)
        stamp = (
            f"{self.version}+{crc32(repr(sorted(over.items(), key=lambda item: item[0])).encode()):08x}"
            if version is None
            else version
        )
        return replace(self, rates=Laid(over, below), version=stamp)
