"""Which model a name means: exact, or by a rule that is exact itself; never by likeness.

The rules: aliases.csv, upper and lower case, the provider's own prefix, paths (`models/`, `publishers/`, ARNs),
dated snapshots, `-latest`, version suffixes of Bedrock, a maker's prefix that is left out and is the only one.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from costlab.catalog.makers import MAKERS
from costlab.errors import BadInput
from costlab.prices import Names, PriceTable, Resolved

ALIAS_COLUMNS = ("kind", "alias", "provider", "model", "source", "source_version", "read_at")
_UNSAID = ("", "unknown", "none", "null")  # a provider that a log did not know
_GEO = re.compile(r"^(us-gov|us|eu|apac|jp|au|ca|in|global)\.(?=[a-z0-9]+\.)")
_PATH = re.compile(r"^(?:.*[/:])?(?:models|inference-profile|foundation-model|provisioned-model)/")
_METHOD = re.compile(r":(?:stream)?(?:generate|batchEmbed|embed|count|predict|raw)\w*$", re.IGNORECASE)
_DATE = re.compile(r"[-@](?:20\d\d-\d\d-\d\d|20\d{6})(?=$|-v\d|:)")
_DEPTH = 3  # how many rules may be needed for one name


def _rules(provider: str, model: str) -> Iterator[tuple[str, str]]:
    """Yield (spelling, rule) one step away from a name."""
    head, _, tail = model.partition("/")
    if tail and head.lower() in (provider, provider.replace("-", ""), provider.replace("-", "_")):
        yield tail, "provider prefix"
    if "/" in model and (found := _PATH.match(model)):
        yield model[found.end() :], "path"
    if provider in ("google", "google-vertex") and (found := _METHOD.search(model)):
        yield model[: found.start()], "API method"
    if found := _DATE.search(model):
        yield model[: found.start()] + model[found.end() :], "dated snapshot"
    if found := re.search(r"-(20\d\d)(\d\d)(\d\d)$", model):
        yield model[: found.start()] + f"-{found[1]}-{found[2]}-{found[3]}", "date spelling"
    if found := re.search(r"-(20\d\d)-(\d\d)-(\d\d)$", model):
        yield model[: found.start()] + f"-{found[1]}{found[2]}{found[3]}", "date spelling"
    if model.endswith(("-latest", ":latest", "@latest", "@default")):
        yield re.sub(r"[-:@](?:latest|default)$", "", model), "latest"
    elif provider in ("anthropic", "google-vertex") and "claude" in model:
        yield f"{model}-latest", "latest"
    if provider == "google-vertex" and "@" in model:
        yield model.replace("@", "-"), "Vertex version"
    if provider == "aws" and (found := re.search(r"(?:-v\d+)?:\d+$|-v\d+$", model)):
        yield model[: found.start()], "Bedrock version"


def spellings(provider: str, model: str) -> list[tuple[str, str]]:
    """Return (spelling, rules) that mean the same model at a provider, nearest first, the name itself left out."""
    found: dict[str, str] = {model: ""}
    edge = [model]
    for _ in range(_DEPTH):
        nearer = []
        for text in edge:
            for other, rule in _rules(provider, text):
                if other and other not in found:
                    found[other] = f"{found[text]}, {rule}" if found[text] else rule
                    nearer.append(other)
        edge = nearer
    return [(text, rule) for text, rule in found.items() if rule]


def read_aliases(text: str, file: str) -> tuple[Names, tuple[tuple[str, str], ...]]:
    """Return the names of an aliases file and its makers as (provider, beginning); raises BadInput."""
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if tuple(reader.fieldnames or ()) != ALIAS_COLUMNS:
        raise BadInput(f"the columns must be {', '.join(ALIAS_COLUMNS)}", file=file, line=1)
    providers: dict[str, str] = {}
    aliases: dict[tuple[str, str], tuple[str, str]] = {}
    makers: list[tuple[str, str]] = []
    for row in reader:
        kind, alias, provider = row["kind"], row["alias"] or "", row["provider"] or ""
        if kind == "provider":
            providers[alias] = provider
        elif kind == "model" and row["model"]:
            aliases[provider, alias.lower()] = (provider, row["model"])
        elif kind == "maker":
            makers.append((provider, alias))
        else:
            raise BadInput(f"unknown kind {kind!r}", file=file, line=reader.line_num, field="kind")
    return Names(providers=providers, aliases=aliases), tuple(makers)


@dataclass(frozen=True, slots=True)
class Index:
    """Which ids there are, by provider and in lower case: made from a table's keys when first needed."""

    models: Mapping[str, Mapping[str, str]]
    tails: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)


def index(keys: Iterator[tuple[str, str]]) -> Index:
    """Return the index of (provider, model) keys."""
    models: dict[str, dict[str, str]] = {}
    tails: dict[str, dict[str, tuple[str, ...]]] = {}
    for provider, model in keys:
        models.setdefault(provider, {}).setdefault(model.lower(), model)
        if "/" in model:
            last = model.rpartition("/")[2].lower()
            mine = tails.setdefault(provider, {})
            mine[last] = (*mine.get(last, ()), model)
    return Index(models, tails)


def provider_id(names: Names, provider: str | None) -> str | None:
    """Return our id of a provider's spelling; None where a log did not know it."""
    said = (provider or "").strip().lower()
    return None if said in _UNSAID else names.providers.get(said, said)


def resolve(
    table: PriceTable,
    provider: str | None,
    model: str,
    *,
    ids: Callable[[], Index],
    makers: tuple[tuple[str, str], ...],
) -> Resolved | None:
    """Return what a name means in a table, or None. `model` may be `provider/model`; see the module for the rules."""
    where = provider_id(table.names, provider)
    model = model.strip()
    if not model:
        return None
    if where is not None:
        found = _at(table, where, model, ids)
        if found and found.by == "exact" and provider and provider.strip() != where:
            return Resolved(found.provider, found.model, f"alias: provider {provider.strip()}")
        return found
    head, _, tail = model.partition("/")
    if tail:
        named = provider_id(table.names, head)
        if named in ids().models and (found := resolve(table, head, tail, ids=ids, makers=makers)):
            return found
    for maker, beginning in makers:
        if model.lower().startswith(beginning) and (found := _at(table, maker, model, ids, tails=False)):
            return Resolved(found.provider, found.model, "maker" if found.by == "exact" else f"maker, {found.by}")
    return None


def _at(
    table: PriceTable, provider: str, model: str, ids: Callable[[], Index], *, tails: bool = True
) -> Resolved | None:
    if (provider, model) in table.rates:
        return Resolved(provider, model, "exact")
    known = ids()
    mine = known.models.get(provider, {})
    for text, rule in [(model, ""), *spellings(provider, model)]:
        if (provider, text) in table.rates:
            return Resolved(provider, text, f"alias: {rule}")
        if text.lower() in mine:
            return Resolved(provider, mine[text.lower()], f"alias: {rule or 'letter case'}")
        target = table.names.aliases.get((provider, text.lower()))
        if target and target in table.rates:  # an alias of a model that no file has rates of leads nowhere
            return Resolved(*target, f"alias: {rule + ', ' if rule else ''}aliases.csv")
    if tails and "/" not in model:
        same = known.tails.get(provider, {}).get(model.lower(), ())
        if len(same) == 1:
            return Resolved(provider, same[0], "alias: maker's prefix left out")
    return _profile(table, provider, model, mine)


def _profile(table: PriceTable, provider: str, model: str, mine: Mapping[str, str]) -> Resolved | None:
    """A Bedrock profile (`us.`, `apac.`) that is not listed means its base model only if listed profiles cost as it.

    Where a listed profile of the same model costs more than the base, an unlisted one may too: then nothing is said.
    """
    base = _GEO.sub("", model)
    if provider != "aws" or base == model:
        return None
    for text, rule in [(base, ""), *spellings(provider, base)]:
        found = mine.get(text.lower()) or table.names.aliases.get((provider, text.lower()), ("", ""))[1]
        if not found:
            continue
        core = _GEO.sub("", found)
        listed = [m for m in mine.values() if _GEO.sub("", m) == core]
        prices = {tuple(sorted((r.unit, str(r.price)) for r in table.rates[provider, m] if not r.when)) for m in listed}
        return (
            Resolved(provider, found, f"alias: {rule + ', ' if rule else ''}Bedrock profile")
            if len(prices) == 1
            else None
        )
    return None


def near(known: Index, provider: str | None, model: str, limit: int = 5) -> tuple[str, ...]:
    """Return `provider/model` names like an unknown one, for a person to choose from; never used by themselves.

    Names that hold the unknown one as a word (`kimi-k3` for `k3`) come first, then those that are written like it;
    of the same name at several providers the maker's is taken.
    """
    tail = model.rpartition("/")[2].lower()
    makers = dict.fromkeys(maker for maker, _ in MAKERS if maker in known.models)
    places = [provider] if provider is not None and provider in known.models else [*makers, *known.models]
    pool = {m.rpartition("/")[2]: f"{p}/{known.models[p][m]}" for p in reversed(places) for m in known.models[p]}
    word = re.compile(rf"(?:^|[-_.@:]){re.escape(tail)}(?:$|[-_@:])")
    holding = sorted((m for m in pool if tail and word.search(m)), key=lambda m: (len(m), m))
    alike = get_close_matches(tail, list(pool), n=limit, cutoff=0.6)
    return tuple(pool[m] for m in dict.fromkeys([*holding, *alike]))[:limit]
