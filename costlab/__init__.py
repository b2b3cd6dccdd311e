"""CostLab: what an agent costs, on every model, before the bill arrives. `import costlab as cl` is the one door.

App, command line and notebook use only what stands here. Everything is loaded when it is first used, so that the
import itself costs nothing: no pandas, plotly, litellm or smolagents.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

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
    from costlab.door.media import LEVELS, media_tokens, price_media
    from costlab.door.models import (
        DEFAULT_MODELS, REFERENCE_MODEL,
        facts, default_models, reference_model, model_names, model_part, hosts_of, resolve,
    )  # fmt: skip
    from costlab.door.pricing import price, quote, quote_text, price_run, price_many, on_model, compare
    from costlab.door.recordings import import_file, files_in, import_bytes, read
    from costlab.door.tables import (
        edit_rate, find_rates, load_table, parse_prices, price_stamp, prices_csv, pricing_folder, read_overrides,
        save_overrides,
    )  # fmt: skip
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
    from costlab.quoting import MediaQuote, Quote
    from costlab.replay import Moment, first_run, moments, paid_again, resent
    from costlab.runs import ModelCall, Run, Step, ToolCall
    from costlab.sketching import SKETCHES, Sketch, SketchedPicture, parse_sketch, sketch
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
    "costlab.door.media": "LEVELS media_tokens price_media",
    "costlab.door.models": "DEFAULT_MODELS REFERENCE_MODEL default_models facts hosts_of model_names model_part "
    "reference_model resolve",
    "costlab.door.pricing": "price quote quote_text price_run price_many on_model compare",
    "costlab.door.recordings": "import_file files_in import_bytes read",
    "costlab.door.tables": "pricing_folder load_table price_stamp find_rates edit_rate "
    "read_overrides parse_prices prices_csv save_overrides",
    "costlab.edits": "Edit differences edit merged shown",
    "costlab.languages": "LANGUAGES words_of",
    "costlab.money": "change column column_decimals compact converted duration exact headline interval markdown "
    "per_tasks tokens unit_price usd",
    "costlab.pricebook": "check_prices diff_prices renew_prices",
    "costlab.prices": "ModelRates PriceTable Rate Resolved",
    "costlab.projection": "Alternative",
    "costlab.quoting": "MediaQuote Quote",
    "costlab.replay": "Moment first_run moments paid_again resent",
    "costlab.runs": "ModelCall Run Step ToolCall",
    "costlab.sketching": "SKETCHES Sketch SketchedPicture parse_sketch sketch",
    "costlab.importers": "Imported",
    "costlab.store": "Store",
    "costlab.words": "ENGLISH KINDS Words basis_name bound_name correct_name kind_name state_name step_name unit_name",
    "costlab.importers.smolagents": "save",
}
_WHERE = {name: module for module, names in _HOME.items() for name in names.split()}
_ROOMS = ("charts", "frames")


def __getattr__(name: str) -> object:
    """Load a name of the door on first use; a missing extra is named."""
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    if name in _ROOMS:
        from costlab.door.extras import with_extra

        return with_extra(f"costlab.{name}")
    raise AttributeError(f"module 'costlab' has no attribute {name!r}")
