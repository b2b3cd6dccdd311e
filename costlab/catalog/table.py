"""Price tables from files: read fast, a model's rows parsed when it is asked for.

`load` lays catalog.csv < corrections.csv < the user's overrides.csv over each other. The shipped catalogue is indexed
by provider and model without parsing its rows (its rows are checked by `prices check` and by the tests); corrections
and the user's file are small, and every row of theirs is checked on every load.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import TypeGuard

from costlab.catalog import names as naming
from costlab.catalog.rows import EVERY, header, parse_row, read_rates
from costlab.errors import BadInput
from costlab.files import read_bounded
from costlab.prices import Laid, Names, PriceTable, Rate, Resolved
from costlab.runs import LOCAL_PROVIDERS
from costlab.usage import unit as unit_of

CATALOG, CORRECTIONS, ALIASES, MODELS, OVERRIDES = (
    "catalog.csv", "corrections.csv", "aliases.csv", "models.csv", "overrides.csv",
)  # fmt: skip
MAX_BYTES = 64 * 2**20
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class FileRates(Mapping[Key, tuple[Rate, ...]]):
    """Rows by (provider, model), parsed on first access; the same key always gives the same rows.

    A name that says itself that nobody bills it (`:free` on OpenRouter, a model on the user's machine) has rates
    of 0 for tokens without standing in a file; such names are found but not listed.
    """

    file: str
    columns: tuple[str, ...]
    lines: tuple[str, ...]
    places: Mapping[Key, tuple[int, ...]]  # index into `lines`, which begins with the file's second line
    over: Mapping[Key, tuple[Rate, ...]]  # rows of the later layers
    every: Mapping[str, tuple[Rate, ...]] = field(default_factory=dict)  # by provider: rows of `EVERY`
    _parsed: dict[Key, tuple[Rate, ...]] = field(default_factory=dict, repr=False)
    _ids: list[naming.Index] = field(default_factory=list, repr=False)

    def __getitem__(self, key: Key) -> tuple[Rate, ...]:
        rows = self._parsed.get(key)
        if rows is None:
            listed = (*self._read(self.places.get(key, ())), *self.over.get(key, ()))
            rows = self._parsed[key] = (*listed, *self._common(key, listed)) if listed else free_by_name(*key)
        if not rows:
            raise KeyError(key)
        return rows

    def __contains__(self, key: object) -> bool:
        return key in self.places or key in self.over or (_is_key(key) and bool(free_by_name(*key)))

    def __iter__(self) -> Iterator[Key]:
        yield from self.places
        yield from (key for key in self.over if key not in self.places)

    def __len__(self) -> int:
        return len(self.places) + sum(key not in self.places for key in self.over)

    def _read(self, places: tuple[int, ...]) -> Iterator[Rate]:
        for place, cells in zip(places, csv.reader(self.lines[p] for p in places), strict=True):
            try:
                yield parse_row(dict(zip(self.columns, cells, strict=True)), "catalog")
            except (BadInput, ValueError) as error:
                said = error if isinstance(error, BadInput) else BadInput("has not one cell for each column")
                raise said.at(file=self.file, line=place + 2) from None

    def _common(self, key: Key, listed: tuple[Rate, ...]) -> Iterator[Rate]:
        """Yield the provider's rows for every model, for units that this model has no row of."""
        have = {rate.unit for rate in listed}
        yield from (replace(rate, model=key[1]) for rate in self.every.get(key[0], ()) if rate.unit not in have)

    def ids(self) -> naming.Index:
        """Return the index of all listed names, made once."""
        if not self._ids:
            self._ids.append(naming.index(iter(self)))
        return self._ids[0]


def _is_key(key: object) -> TypeGuard[Key]:
    return isinstance(key, tuple) and len(key) == 2 and all(isinstance(part, str) for part in key)


def free_by_name(provider: str, model: str) -> tuple[Rate, ...]:
    """Return token rates of 0 for a model whose name or place says that nobody bills it, else nothing."""
    if provider in LOCAL_PROVIDERS and not model.endswith(("-cloud", ":cloud")):
        note = "free: runs on the user's machine"
    elif provider == "openrouter" and model.endswith(":free"):
        note = "free: the id says so"
    else:
        return ()
    return tuple(
        Rate(provider, model, key, Decimal(0), unit_of(key).per, source="name", note=note)
        for key in ("input_tokens", "output_tokens")
    )


@dataclass(frozen=True, slots=True)
class Resolver:
    """What names mean: `PriceTable.resolver`."""

    base: FileRates
    makers: tuple[tuple[str, str], ...] = ()

    def __call__(self, table: PriceTable, provider: str | None, model: str) -> Resolved | None:
        """Return what a name means in a table, or None."""
        return naming.resolve(table, provider, model, ids=lambda: self.index(table), makers=self.makers)

    def index(self, table: PriceTable) -> naming.Index:
        """Return the names of a table: the file's own index unless an edit brought a new name."""
        if isinstance(table.rates, Laid) and any(key not in self.base for key in table.rates.over):
            return naming.index(iter(table.rates))
        return self.base.ids()


@dataclass
class Multiples:
    """Declared multiples of the input price for cache writes: their file is read once, when a write first needs one."""

    folder: Path
    read: Callable[[Path], Callable[[str, str, str | None], Decimal | None]]

    @cached_property
    def find(self) -> Callable[[str, str, str | None], Decimal | None]:
        """Return what finds the multiple of a provider, a model and a lifetime; raises BadInput for a broken file."""
        return self.read(self.folder)

    def __call__(self, provider: str, model: str, ttl: str | None) -> Decimal | None:
        """Return the declared multiple for a write of a lifetime (None: not stated), or None."""
        return self.find(provider, model, ttl)


def read_text(path: Path) -> str:
    """Return a text file's content; raises TooLarge past 64 MB and BadInput if it cannot be read or is no UTF-8."""
    try:
        return read_bounded(path, MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"is not UTF-8 text: {error.reason}", file=str(path)) from None


def load(pricing: Path, home: Path | None = None) -> PriceTable:
    """Return the price table of a pricing folder and, if given, of a user's home; raises BadInput (with its place)."""
    aliases = read_text(pricing / ALIASES) if (pricing / ALIASES).exists() else ""
    return assemble(read_text(pricing / CATALOG), aliases, pricing, home)


def assemble(catalog: str, aliases: str, pricing: Path, home: Path | None = None) -> PriceTable:
    """Return the table of a catalogue's and an aliases' text, under the corrections of a folder and a user's file."""
    stamp = sha256(catalog.encode())
    over: dict[Key, list[Rate]] = {}
    every: dict[str, list[Rate]] = {}
    layers = [(pricing / CORRECTIONS, "corrections")] + ([(home / OVERRIDES, "overrides")] if home else [])
    for path, layer in layers:
        if path.exists():
            said = read_text(path)
            stamp.update(said.encode())
            for rate in read_rates(said, str(path), layer):
                if rate.model == EVERY:
                    every.setdefault(rate.provider, []).append(rate)
                else:
                    over.setdefault((rate.provider, rate.model), []).append(rate)
    rates = _indexed(catalog, str(pricing / CATALOG), {k: tuple(v) for k, v in over.items()})
    rates = replace(rates, every={k: tuple(v) for k, v in every.items()})
    stamp.update(aliases.encode())
    found, makers = naming.read_aliases(aliases, str(pricing / ALIASES)) if aliases else (Names(), ())
    return PriceTable(
        rates=rates, names=found, version=stamp.hexdigest()[:12], read_at=_oldest(rates),
        resolver=Resolver(rates, makers),
    )  # fmt: skip


def corrected_models(pricing: Path) -> frozenset[Key]:
    """Return the (provider, model) that a folder's corrections have rates of; raises BadInput (with its place)."""
    path = pricing / CORRECTIONS
    rows = read_rates(read_text(path), str(path), "corrections") if path.exists() else ()
    return frozenset((rate.provider, rate.model) for rate in rows if rate.price is not None)


def resolve(table: PriceTable, provider: str | None, model: str) -> Resolved | None:
    """Return what a name means: exact, by a declared or exact rule, or None; never a neighbour."""
    return table.resolve(provider, model)


def near(table: PriceTable, provider: str | None, model: str, limit: int = 5) -> tuple[str, ...]:
    """Return names like an unknown one as `provider/model`: suggestions only."""
    where = naming.provider_id(table.names, provider)
    known = table.resolver.index(table) if isinstance(table.resolver, Resolver) else naming.index(iter(table.rates))
    return naming.near(known, where, model, limit)


def _indexed(text: str, file: str, over: Mapping[Key, tuple[Rate, ...]]) -> FileRates:
    """Group a catalogue's lines by their first two cells; nothing else is parsed."""
    lines = tuple(text.splitlines())
    if not lines:
        raise BadInput("is empty: a price file begins with its column names", file=file, line=1)
    columns = header(next(csv.reader([lines[0]])), file)
    if columns[:2] != ("provider", "model"):
        raise BadInput("must begin with the columns provider, model", file=file, line=1)
    places: dict[Key, list[int]] = {}
    for place, line in enumerate(islice(lines, 1, None)):
        if '"' in line:
            if line.count('"') % 2:
                raise BadInput("a cell with a line break is not allowed in a catalogue", file=file, line=place + 2)
            cells = next(csv.reader([line]))
        else:
            cells = line.split(",", 2)
        if len(cells) < 3:
            if not line.strip():
                continue
            raise BadInput("has too few cells", file=file, line=place + 2)
        places.setdefault((cells[0], cells[1]), []).append(place)
    return FileRates(file, columns, lines[1:], {k: tuple(v) for k, v in places.items()}, over)


def _oldest(rates: FileRates) -> date | None:
    """The day on which the catalogue was read: one refresh writes the same day into every row, so the first tells."""
    first = next(iter(rates.places), None)
    days = [r.read_at for r in rates[first] if r.read_at and r.layer == "catalog"] if first else []
    return min(days, default=None)
