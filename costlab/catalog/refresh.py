"""`prices refresh`: build catalog.csv, models.csv and aliases.csv from the installed litellm and genai-prices.

Rates of both sources stay in the file; where a source's own list of names says that its price is that of another
id of the same provider, its rows are written out for that id too, so that nothing has to be guessed on reading.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC as _UTC
from datetime import date, datetime, time
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from costlab.catalog import genai_map, litellm_map, litellm_names
from costlab.catalog.facts import FACT_COLUMNS
from costlab.catalog.makers import MAKERS
from costlab.catalog.names import ALIAS_COLUMNS, spellings
from costlab.catalog.rows import export_csv, write_rows
from costlab.catalog.table import ALIASES, CATALOG, MODELS
from costlab.files import write_all
from costlab.prices import DOUBTFUL, Rate, When, parse_windows
from costlab.runs import LOCAL_PROVIDERS
from costlab.usage import unit as unit_of

if TYPE_CHECKING:
    from genai_prices.types import Provider

_BOTH = ("google", "google-vertex")  # genai-prices lists Google's two services under one id

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a refresh read: the three files' text, and what was odd about the sources."""

    catalog: str
    models: str
    aliases: str
    rows: int
    versions: Mapping[str, str]
    repeated: tuple[tuple[Rate, Rate], ...] = ()  # listed twice by one source at different prices: (kept, left out)


@dataclass(slots=True)
class _Build:
    """Rates and facts while they are gathered; lives for one refresh only."""

    today: date
    versions: Mapping[str, str]
    rates: dict[Key, dict[tuple[object, ...], Rate]] = field(default_factory=dict)
    facts: dict[Key, dict[str, str]] = field(default_factory=dict)
    multiples: dict[Key, list[tuple[When, Decimal]]] = field(default_factory=dict)
    repeated: list[tuple[Rate, Rate]] = field(default_factory=list)

    def add(self, rate: Rate) -> None:
        """Keep a rate unless the same source said the same thing before; note where it said another price.

        Of two prices the first is kept, but not a 0: that one prices nothing unless somebody vouches for it.
        """
        group = (*rate.group, rate.valid_from, rate.utc_windows and rate.utc_windows.text, rate.source)
        rows = self.rates.setdefault((rate.provider, rate.model), {})
        first = rows.setdefault(group, rate)
        if first is rate or first.price == rate.price:
            return
        kept, other = (rate, first) if first.price == 0 else (first, rate)
        rows[group] = kept
        self.repeated.append((kept, other))


@dataclass(frozen=True, slots=True)
class Sources:
    """What a refresh reads: litellm's entries by key, genai-prices' providers, and the version of each."""

    litellm: Mapping[str, Mapping[str, object]]
    genai: Sequence[Provider]
    versions: Mapping[str, str]


def installed() -> Sources:
    """Return the sources as installed; raises MissingExtra without litellm."""
    listed = litellm_map.read(litellm_map.installed())  # first: it says which extra is missing
    versions = {"litellm": version("litellm"), "genai-prices": version("genai-prices")}
    return Sources(listed, genai_map.providers(), versions)


def snapshot(sources: Sources, *, today: date, ours: Container[Key] = ()) -> Snapshot:
    """Return the three files' texts from the sources.

    `ours` are (provider, model) that corrections.csv has rates of: names that the sources list for them are kept,
    names of models that nobody has rates of are not.
    """
    build = _Build(today, sources.versions)
    for key, entry in sources.litellm.items():
        _litellm(build, key, entry)
    aliases = _genai(build, sources.genai)
    aliases = [a for a in aliases if (a["provider"], a["model"]) in build.rates or (a["provider"], a["model"]) in ours]
    _multiply(build)
    _judge_zeros(build)
    rates = [r for rows in build.rates.values() for r in rows.values()]
    facts = [build.facts[k] for k in sorted(build.facts)]
    return Snapshot(
        catalog=export_csv(rates),
        models=write_rows(FACT_COLUMNS, facts),
        aliases=_aliases_csv(build, aliases),
        rows=len(rates),
        versions=dict(sources.versions),
        repeated=tuple(build.repeated),
    )


def write(found: Snapshot, out: Path) -> None:
    """Save a snapshot's three files in a folder: all are on the disk before the first takes its place."""
    texts = {CATALOG: found.catalog, MODELS: found.models, ALIASES: found.aliases}
    write_all({out / name: text.encode() for name, text in texts.items()})


def _rate(build: _Build, key: Key, unit: str, price: Decimal, source: str, when: When) -> Rate:
    return Rate(
        provider=key[0], model=key[1], unit=unit, price=price, per=unit_of(unit).per, when=when, source=source,
        source_version=build.versions[source], read_at=build.today,
    )  # fmt: skip


def _litellm(build: _Build, name: str, entry: Mapping[str, object]) -> None:
    said = litellm_names.identity(name, str(entry.get("litellm_provider") or ""))
    if said is None:
        return
    provider, model, spelled = said
    key = (provider, model)
    for price in litellm_map.prices(entry, provider):
        when = tuple(sorted({**dict(spelled), **dict(price.when)}.items()))
        usd, unit = price.usd, price.unit
        if unit == "output_pixels" and (pixels := _pixels(when)):
            usd, unit = round(usd * pixels, 5), "output_images"
        rate = _rate(build, key, unit, usd * unit_of(unit).per, "litellm", when)
        windows = parse_windows(price.windows) if price.windows else None
        build.add(replace(rate, input_over=price.input_over, output_over=price.output_over, utc_windows=windows))
    build.multiples.setdefault(key, list(litellm_map.multiples(entry)))
    _facts(build, key, entry)


def _pixels(when: When) -> int | None:
    """Pixels of the size in a condition `size=1024x1536`: a price by pixel of a named size is one by image."""
    width, found, height = dict(when).get("size", "").partition("x")
    return int(width) * int(height) if found and width.isdigit() and height.isdigit() else None


def _genai(build: _Build, providers: Sequence[Provider]) -> list[dict[str, str]]:
    """Add genai-prices' rates under its ids and under the ids that it lists for them; return its other names."""
    aliases: list[dict[str, str]] = []
    known: dict[str, dict[str, list[str]]] = {}
    for provider, name in list(build.rates):
        known.setdefault(provider, {}).setdefault(name.lower(), []).append(name)
    for source in providers:
        ids = {m.id.lower() for m in source.models}
        taken: set[tuple[str, str]] = set()
        for model in source.models:
            listed = {n.lower() for n in genai_map.names(model.match)} - (ids - {model.id.lower()})
            for provider in _homes(source.id, model.id):
                here = known.get(provider, {})
                spelled = here.get(model.id.lower(), [model.id])  # as litellm spells it, so that both are one model
                for name in spelled:
                    _genai_model(build, (provider, name), model)
                for other, same_ids in here.items():
                    if other not in ids and listed & {other, *_plain(provider, other)}:
                        for same in same_ids:
                            _genai_model(build, (provider, same), model)
                for name in sorted(listed - {model.id.lower()}):
                    if (provider, name) not in taken and name not in here:
                        taken.add((provider, name))
                        aliases.append({"kind": "model", "alias": name, "provider": provider, "model": spelled[0]})
    return aliases


def _plain(provider: str, model: str) -> set[str]:
    """The other spellings of an id by the exact rules (dated snapshot, version suffix, own prefix)."""
    return {text for text, _ in spellings(provider, model)}


def _homes(provider: str, model: str) -> tuple[str, ...]:
    if provider != "google":
        return (provider,)
    return ("google-vertex",) if "claude" in model else _BOTH


def _genai_model(build: _Build, key: Key, model: object) -> None:
    from genai_prices.types import ModelInfo

    assert isinstance(model, ModelInfo)
    found = list(genai_map.prices(model))
    if not found and model.id.endswith(":free"):
        found = [genai_map.Dated("input_tokens", Decimal(0)), genai_map.Dated("output_tokens", Decimal(0))]
    for price in found:
        rate = _rate(build, key, price.unit, price.price, "genai-prices", price.when)
        build.add(
            replace(
                rate,
                input_over=price.input_over,
                valid_from=_midnight(price.start),
                valid_to=_midnight(price.end),
                utc_windows=parse_windows(price.windows) if price.windows else None,
            )
        )
    if model.context_window or key not in build.facts:
        _genai_fact(build, key, model.context_window)


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(0), _UTC) if day else None


def _multiply(build: _Build) -> None:
    """Write the multiples of speed and region out as rows, over every token rate of the model."""
    for key, multiples in build.multiples.items():
        for when, factor in multiples:
            rows = list(build.rates.get(key, {}).values())
            word = when[0][0]
            if word == "speed" and any(dict(r.when).get("speed") for r in rows):
                continue  # listed by a source in full
            for row in rows:
                held = dict(row.when)
                if row.price is None or word in held or unit_of(row.unit).family != "tokens":
                    continue
                if word == "speed" and held:
                    continue  # fast mode has no batch
                more = tuple(sorted((*row.when, *when)))
                note = f"{factor} x the rate without {word}={when[0][1]} (litellm)"
                build.add(replace(row, price=row.price * factor, when=more, note=note))


def _judge_zeros(build: _Build) -> None:
    """Mark a source's 0 as doubtful unless a second source, the id or the place vouches for it."""
    for (provider, model), rows in build.rates.items():
        zeros: dict[str, set[str]] = {}
        for row in rows.values():
            if row.price == 0:
                zeros.setdefault(row.unit, set()).add(row.source)
        for group, row in rows.items():
            if row.price != 0:
                continue
            if provider in LOCAL_PROVIDERS:
                note = "free: runs on the user's machine"
            elif model.endswith(":free"):
                note = "free: the id says so"
            elif len(zeros[row.unit]) > 1:
                note = "free: both sources say so"
            else:
                note = f"{DOUBTFUL}: only {row.source} lists it"
            rows[group] = replace(row, note=note)


def _facts(build: _Build, key: Key, entry: Mapping[str, object]) -> None:
    def whole(name: str) -> str:
        value = entry.get(name)
        return str(int(value)) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else ""

    inputs = _words(entry.get("supported_modalities")) or _supported(entry, _INPUTS)
    retires = str(entry.get("deprecation_date") or "")
    build.facts.setdefault(
        key,
        {
            "provider": key[0], "model": key[1], "mode": str(entry.get("mode") or ""), "context_tokens": "",
            "max_input_tokens": whole("max_input_tokens"), "max_output_tokens": whole("max_output_tokens"),
            "inputs": inputs, "outputs": _words(entry.get("supported_output_modalities")),
            "native_tools": _supported(entry, _TOOLS), "retires_at": retires if _is_day(retires) else "",
            "source": "litellm", "source_version": build.versions["litellm"], "read_at": build.today.isoformat(),
        },
    )  # fmt: skip


_INPUTS = {"supports_vision": "image", "supports_image_input": "image", "supports_pdf_input": "pdf",
           "supports_audio_input": "audio", "supports_video_input": "video"}  # fmt: skip
_TOOLS = {"supports_function_calling": "functions", "supports_web_search": "web_search",
          "supports_computer_use": "computer_use", "supports_url_context": "url_context"}  # fmt: skip


def _words(value: object) -> str:
    return "|".join(sorted({str(v) for v in value})) if isinstance(value, list) else ""


def _supported(entry: Mapping[str, object], flags: Mapping[str, str]) -> str:
    """The flags that are true; a flag that is not there is unknown, so one true flag makes no closed list."""
    return "|".join(sorted({word for flag, word in flags.items() if entry.get(flag) is True}))


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _genai_fact(build: _Build, key: Key, context: int | None) -> None:
    have = build.facts.get(key)
    if have is None:
        have = dict.fromkeys(FACT_COLUMNS, "")
        have |= {"provider": key[0], "model": key[1], "source": "genai-prices"}
        have |= {"source_version": build.versions["genai-prices"], "read_at": build.today.isoformat()}
        build.facts[key] = have
    if context and not have["context_tokens"]:
        have["context_tokens"] = str(context)
        if have["source"] == "litellm":
            have["source"] = "litellm+genai-prices"
            have["source_version"] = f"{build.versions['litellm']}+{build.versions['genai-prices']}"


def _aliases_csv(build: _Build, models: Iterable[Mapping[str, str]]) -> str:
    day = build.today.isoformat()
    ours = {"source": "costlab", "source_version": "", "read_at": day}
    theirs = {"source": "genai-prices", "source_version": build.versions["genai-prices"], "read_at": day}
    litellm = {"source": "litellm", "source_version": build.versions["litellm"], "read_at": day}
    rows = [{"kind": "maker", "alias": prefix, "provider": p, "model": "", **ours} for p, prefix in MAKERS]
    spelled = {**litellm_names.PROVIDERS, **litellm_names.SPELLINGS}
    for text in sorted(spelled):
        said = litellm if text in litellm_names.PROVIDERS else ours
        rows.append({"kind": "provider", "alias": text, "provider": spelled[text], "model": "", **said})
    rows += [{**row, **theirs} for row in sorted(models, key=lambda r: (r["provider"], r["alias"]))]
    return write_rows(ALIAS_COLUMNS, rows)
