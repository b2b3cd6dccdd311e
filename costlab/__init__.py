"""CostLab: what an agent costs, on every model, before the bill arrives. `import costlab as cl` is the one door.

App, command line and notebook use only what stands here. Everything is loaded when it is first used, so that the
import itself costs nothing: no pandas, plotly, litellm or smolagents.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from costlab import charts, frames
    from costlab.catalog.check import Report
    from costlab.catalog.diff import Change, RunChange, worth
    from costlab.catalog.disagree import Disagreement, disagreements
    from costlab.catalog.overrides import Overrides
    from costlab.catalog.renewal import Renewal
    from costlab.catalog.rows import cells_of
    from costlab.cost import Cost, RunCost, rate_gone, run_counts, total_of
    from costlab.cube import BulkCost, ModelTotal
    from costlab.edits import Edit, differences, edit, merged, shown
    from costlab.errors import (
        BadInput, Conflict, CostLabError, MissingExtra, NoRecording, NotFound, TooLarge, UnknownModel,
    )  # fmt: skip
    from costlab.favourites import read_favourites, save_favourites
    from costlab.files import home
    from costlab.importers import Imported
    from costlab.languages import LANGUAGES, words_of
    from costlab.media import MediaTokens
    from costlab.models import ModelFacts
    from costlab.money import (
        change, column, column_decimals, compact, converted, duration, exact, headline, interval, markdown,
        per_tasks, tokens, unit_price, usd,
    )  # fmt: skip
    from costlab.pricebook import check_prices, diff_prices, renew_prices
    from costlab.prices import ModelRates, PriceTable, Rate, Resolved
    from costlab.projection import Alternative, Terms
    from costlab.quoting import Quote
    from costlab.replay import Moment, first_run, moments, paid_again, resent
    from costlab.runs import ModelCall, Run, Step, ToolCall
    from costlab.store import Store
    from costlab.words import (  # isort: skip
        ENGLISH, KINDS, Words, basis_name, bound_name, correct_name, kind_name, state_name, step_name,
        unit_name,
    )  # fmt: skip

__version__ = "0.1.0"

_HOME = {
    "costlab.catalog.check": "Report",
    "costlab.catalog.diff": "Change RunChange worth",
    "costlab.catalog.disagree": "Disagreement disagreements",
    "costlab.catalog.overrides": "Overrides",
    "costlab.catalog.renewal": "Renewal",
    "costlab.catalog.rows": "cells_of",
    "costlab.errors": "BadInput Conflict CostLabError MissingExtra NoRecording NotFound TooLarge UnknownModel",
    "costlab.cost": "Cost RunCost rate_gone run_counts total_of",
    "costlab.cube": "BulkCost ModelTotal",
    "costlab.files": "home",
    "costlab.favourites": "read_favourites save_favourites",
    "costlab.edits": "Edit differences edit merged shown",
    "costlab.languages": "LANGUAGES words_of",
    "costlab.money": "change column column_decimals compact converted duration exact headline interval markdown "
    "per_tasks tokens unit_price usd",
    "costlab.pricebook": "check_prices diff_prices renew_prices",
    "costlab.prices": "ModelRates PriceTable Rate Resolved",
    "costlab.projection": "Alternative",
    "costlab.quoting": "Quote",
    "costlab.replay": "Moment first_run moments paid_again resent",
    "costlab.runs": "ModelCall Run Step ToolCall",
    "costlab.importers": "Imported",
    "costlab.store": "Store",
    "costlab.words": "ENGLISH KINDS Words basis_name bound_name correct_name kind_name state_name step_name unit_name",
    "costlab.importers.smolagents": "save",
}
_WHERE = {name: module for module, names in _HOME.items() for name in names.split()}
_ROOMS = ("charts", "frames")

# The reference model for runs that nobody billed, and the models compared first: five vendors and more, two Chinese.
REFERENCE_MODEL = "openai/gpt-5-mini"
DEFAULT_MODELS = (
    "openai/gpt-5-mini",
    "openai/gpt-5.4",
    "anthropic/claude-haiku-4-5",
    "anthropic/claude-sonnet-5",
    "google/gemini-3.8-flash",
    "deepseek/deepseek-v4-flash",
    "zai/glm-5.3",
    "mistral/mistral-medium-3.5",
)


def __getattr__(name: str) -> object:
    """Load a name of the door on first use; a missing extra is named."""
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    if name in _ROOMS:
        return _with_extra(f"costlab.{name}")
    raise AttributeError(f"module 'costlab' has no attribute {name!r}")


def _with_extra(module: str) -> Any:
    """Load a module that needs the extra `app`; a package that is not there is named."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        from costlab.errors import MissingExtra

        raise MissingExtra(str(error.name), "app") from error


def pricing_folder(folder: str | Path | None = None) -> Path:
    """Return the folder of price files: the one named, else the one shipped."""
    from costlab.files import shipped

    return Path(folder) if folder else shipped("pricing")


def load_table(
    pricing: str | Path | None = None, home: str | Path | None = None, *, overrides: bool = True
) -> PriceTable:
    """Return the price table: shipped catalogue < corrections < the user's own, unless left out; raises BadInput."""
    from costlab import files, pricebook

    return pricebook.load(pricing_folder(pricing), files.home(home) if overrides else None)


def price_stamp(pricing: str | Path | None = None, home: str | Path | None = None) -> str:
    """Return a text that changes when a price file does: what a cache of `load_table` is keyed by."""
    from costlab import files

    paths = [*sorted(pricing_folder(pricing).glob("*.*")), files.home(home) / "overrides.csv"]
    stats = [(path.name, path.stat()) for path in paths if path.exists()]
    return ";".join(f"{name}:{s.st_mtime_ns}:{s.st_size}" for name, s in stats)


def price(  # noqa: PLR0913 - one keyword for each condition of a price
    provider: str | None,
    model: str,
    counts: Mapping[str, object],
    *,
    table: PriceTable | None = None,
    at: str | None = None,
    service_tier: str | None = None,
    when: Mapping[str, str] | None = None,
) -> Cost:
    """Return what inclusive counts (by unit key) cost on a model in USD; raises BadInput, UnknownUnit."""
    record = {"provider": provider, "model": model, "counts": counts, "at": at, "service_tier": service_tier}
    return quote({**record, "when": when}, table=table).cost


def quote(
    record: Mapping[str, object],
    *,
    table: PriceTable | None = None,
    at: str = "call",
    now: datetime | None = None,
    pricing: str | Path | None = None,
) -> Quote:
    """Price one record (a response, a usage block or counts; fields as `price --jsonl` takes them)."""
    from costlab import quoting as room

    now = now or datetime.now(UTC)
    return room.quote(
        record, table or load_table(pricing), now=now, day=_day(at, now), context=lambda p, m: _window(p, m, pricing)
    )  # fmt: skip


def _day(at: str, now: datetime) -> datetime | None:
    from costlab.prices import call_moment

    return None if at == "call" else now if at == "today" else call_moment(at)


@lru_cache(maxsize=4)
def _facts(folder: Path) -> Mapping[tuple[str, str], ModelFacts]:
    from costlab.catalog.facts import facts as read_facts

    return read_facts(folder)


def facts(provider: str, model: str, pricing: str | Path | None = None) -> ModelFacts | None:
    """Return what is known of a model besides prices, or None."""
    return _facts(pricing_folder(pricing)).get((provider, model))


def _window(provider: str, model: str, pricing: str | Path | None) -> int | None:
    known = facts(provider, model, pricing)
    return (known.context_tokens or known.max_input_tokens) if known else None


def price_run(run: Run, table: PriceTable | None = None, *, at: str = "call", now: datetime | None = None) -> RunCost:
    """Return what a run costs, call by call; `at` is call, today or a date. Runs of local models cost nothing."""
    from costlab import cost

    now = now or datetime.now(UTC)
    return cost.price_run(run, table or load_table(), now=now, day=_day(at, now))


def price_many(
    columns: Mapping[str, Any],
    table: PriceTable | None = None,
    *,
    at: str = "call",
    now: datetime | None = None,
    amounts: bool = False,
) -> BulkCost:
    """Return what many calls cost, by model and in all: exact, and quick for millions (needs NumPy).

    Columns of one length, or one word for all: `provider`, `model`, `at`, conditions of a price (`service_tier`, ...)
    and inclusive counts by unit key. `amounts` adds each call's USD in float64. Raises BadInput naming column and row.
    """
    cube = _with_extra("costlab.cube")
    now = now or datetime.now(UTC)
    found: BulkCost = cube.price_columns(columns, table or load_table(), now=now, day=_day(at, now), amounts=amounts)
    return found


def on_model(run: Run, name: str, table: PriceTable, *, pricing: str | Path | None = None) -> Run:
    """Return a run as if every call had gone to another model (`provider/model`); raises UnknownModel."""
    from costlab import projection

    return projection.rerun(run, resolve(name, table), _terms(run, "call", datetime.now(UTC), pricing))


def _terms(run: Run, at: str, now: datetime, pricing: str | Path | None) -> Terms:
    """What a run is priced on elsewhere; the media rules are read only where a run has media to count."""
    from costlab import projection, rules

    counting = any(projection.uncounted(run, call) for call in run.calls)
    return projection.Terms(now, _day(at, now), rules.media_rules(pricing_folder(pricing)) if counting else None)


def resolve(name: str, table: PriceTable) -> Resolved:
    """Return the model that `provider/model` or an exact alias means; raises UnknownModel with near matches."""
    from costlab.catalog.table import near
    from costlab.errors import UnknownModel

    provider, _, model = name.partition("/")
    found = (table.resolve(provider, model) if model else None) or table.resolve(None, name)
    if found is None:
        raise UnknownModel(name, near(table, provider if model else None, model or name))
    return found


def compare(
    run: Run,
    models: Sequence[str],
    table: PriceTable | None = None,
    *,
    at: str = "call",
    now: datetime | None = None,
    pricing: str | Path | None = None,
) -> tuple[Alternative, ...]:
    """Return a run's own tokens on several models' price lists, in the order asked; raises UnknownModel."""
    from costlab import projection
    from costlab.models import needs_of, why_not
    from costlab.prices import PriceBook

    now, table = now or datetime.now(UTC), table or load_table(pricing)
    book, needs, terms = PriceBook(table), needs_of(run), _terms(run, at, now, pricing)
    return tuple(
        projection.on_price_list(
            run, who, book, terms, why_not=why_not(facts(who.provider, who.model, pricing), needs, now.date())
        )
        for who in (resolve(name, table) for name in models)
    )


def default_models(table: PriceTable | None = None) -> tuple[str, ...]:
    """Return the models compared first; with a table, only those that it knows."""
    return tuple(m for m in DEFAULT_MODELS if table is None or table.resolve(*m.split("/", 1)))


def reference_model() -> str:
    """Return the model that stands in for a run without a list price, unless the user chooses another."""
    return REFERENCE_MODEL


def model_names(table: PriceTable, pricing: str | Path | None = None) -> list[str]:
    """Return `provider/model` of all priced models that talk, sorted; a model of unknown kind is among them."""
    from costlab.models import TALKING_MODES

    known = _facts(pricing_folder(pricing))
    return sorted(
        f"{p}/{m}" for p, m in table.rates if not (f := known.get((p, m))) or f.mode is None or f.mode in TALKING_MODES
    )


def model_part(name: str) -> str:
    """Return the part of a name that hosts share: what comes after the last slash, in small letters."""
    return name.rpartition("/")[2].lower()


def hosts_of(model: str, table: PriceTable, pricing: str | Path | None = None) -> tuple[str, ...]:
    """Return all `provider/model` names under which a model is served, by the same last part of the id."""
    wanted = model_part(model)
    return tuple(name for name in model_names(table, pricing) if model_part(name) == wanted)


def import_file(
    path: str | Path, *, home: str | Path | None = None, format: str | None = None, store: Store | None = None
) -> Imported:
    """Read recordings from a file into the store; raises BadInput and then changes nothing.

    A run that the store holds in a later state stays as it is there, with the warning `earlier_snapshot`. `store` is
    one for several files, instead of a new one in `home`.
    """
    from costlab.importers import read_file, to_store
    from costlab.store import Store

    store = store or Store(Path(home) if home else None)
    found, kept = to_store(read_file(Path(path), format), store.folder)
    if kept:
        store.add(kept)
    return found


def files_in(path: str | Path) -> tuple[Path, ...]:
    """Return the files under a folder that `import_file` may read, in order; a file is itself."""
    from costlab.importers import files_in as files

    return files(Path(path))


def import_bytes(name: str, data: bytes, *, home: str | Path | None = None) -> Imported:
    """Read an uploaded file's recordings into the store; raises BadInput naming it, and then changes nothing."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        path = Path(folder) / (Path(name.replace("\\", "/")).name or "upload")
        path.write_bytes(data)
        return import_file(path, home=home)


def read(path: str | Path, *, format: str | None = None) -> tuple[Run, ...]:
    """Return the runs of a recording, of any known format, without storing them; raises BadInput."""
    from costlab.importers import read_file

    return tuple(read_file(Path(path), format).runs)


def find_rates(
    text: str, *, pricing: str | Path | None = None, home: str | Path | None = None, limit: int = 500
) -> list[dict[str, str]]:
    """Return the rows, with the CSV's columns, of all models whose `provider/model` holds a text; at most `limit`."""
    from costlab.catalog.rows import cells_of as cells

    table, wanted = load_table(pricing, home), text.lower()
    keys = [key for key in table.rates if wanted in "/".join(key).lower()]
    return [cells(rate) for key in sorted(keys) for rate in table.rates[key]][:limit]


def edit_rate(
    table: PriceTable, provider: str, model: str, unit: str, price: Decimal | None, *, today: date | None = None
) -> Rate:
    """Return the row that sets a unit's standard price (per as the unit is quoted); None removes, 0 vouches free."""
    from costlab.edits import Edit, differences, edit, merged, shown
    from costlab.errors import BadInput
    from costlab.prices import Rate
    from costlab.usage import unit as unit_of

    if price is not None and (not price.is_finite() or price < 0):
        raise BadInput(f"a price must be 0 or more, not {price}", field=unit)
    day = today or datetime.now(UTC).date()
    return Rate(provider, model, unit, price, unit_of(unit).per, source="user", read_at=day, layer="session")


def read_overrides(home: str | Path | None = None) -> Overrides:
    """Return the user's own price rows and the version of their file; raises BadInput (file, line, field)."""
    from costlab import files
    from costlab.catalog import overrides

    return overrides.read(files.home(home))


def parse_prices(data: bytes, name: str) -> tuple[Rate, ...]:
    """Return the rows of a price file's bytes, every one checked; raises BadInput (file, line, field)."""
    from costlab.catalog import overrides

    return overrides.parse(data, name)


def prices_csv(rows: Iterable[Rate]) -> str:
    """Return rows as the text of a price file, with the CSV's columns in a stable order."""
    from costlab.catalog.rows import export_csv

    return export_csv(rows)


def save_overrides(rows: Iterable[Rate], *, home: str | Path | None = None, expected_version: str | None = None) -> str:
    """Write rows to the user's overrides.csv, atomically; raises Conflict if it was changed meanwhile."""
    from costlab import files
    from costlab.catalog import overrides

    return overrides.save(files.home(home), rows, expected_version)


def media_tokens(request: Mapping[str, object], *, pricing: str | Path | None = None) -> MediaTokens:
    """Return the tokens of a picture, sound, film or document by its vendor's formula; raises BadInput."""
    from costlab import media, rules

    return media.tokens(media.parse_request(request), rules.media_rules(pricing_folder(pricing)))
