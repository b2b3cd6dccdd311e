"""CostLab: what an agent costs, on every model, before the bill arrives. `import costlab as cl` is the one door.

App, command line and notebook use only what stands here. Everything is loaded when it is first used, so that the
import itself costs nothing: no pandas, plotly, litellm or smolagents.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from costlab.showing import written_by as _written_by
from costlab.version import __version__

if TYPE_CHECKING:
    from costlab import charts, frames
    from costlab.catalog.check import Report
    from costlab.catalog.diff import Change, RunChange, worth
    from costlab.catalog.disagree import Disagreement, disagreements, Stake
    from costlab.catalog.overrides import Overrides
    from costlab.catalog.renewal import Renewal
    from costlab.catalog.rows import cells_of
    from costlab.cost import Cost, LOCAL_NOTE, rate_gone, run_counts, RunCost, total_of
    from costlab.cube import BulkCost, ModelTotal
    from costlab.door.live import live_agent, live_model, run, track
    from costlab.door.media import LEVELS, media_tokens, price_media
    from costlab.door.models import (
        default_models, DEFAULT_MODELS, facts, hosts_of, makers_first, model_names, model_part, near_models,
        REFERENCE_MODEL, reference_model, resolve,
    )  # fmt: skip
    from costlab.door.monitor import metrics
    from costlab.door.elsewhere import baseline, compare, on_model
    from costlab.door.pricing import price, price_many, price_run, quote, quote_text
    from costlab.door.recordings import files_in, import_bytes, import_file, looks_like_table, read, read_table
    from costlab.door.reports import comparison, save_report
    from costlab.door.sources import at_stake, price_history
    from costlab.door.trials import trials
    from costlab.door.tables import (
        edit_rate, find_rates, load_table, parse_prices, price_stamp, prices_csv, pricing_folder,
        read_overrides, save_overrides,
    )  # fmt: skip
    from costlab.edits import differences, Edit, edit, merged, own_edits, shown, typed_price
    from costlab.errors import (
        BadInput, Conflict, CostLabError, MissingExtra, NoRecording, NotFound, TooLarge, UnknownModel,
    )  # fmt: skip
    from costlab.favourites import read_favourites, save_favourites
    from costlab.files import home, json_records
    from costlab.importers import formats, Imported
    from costlab.importers.delimited import Table
    from costlab.importers.headers import TABLE_FIELDS
    from costlab.importers.places import session_folders, SessionFolder
    from costlab.importers.table import Effect, guess_mapping, table_effects, table_runs, TableMapping
    from costlab.languages import error_text, LANGUAGES, words_of
    from costlab.live.budget import Budget, Purse
    from costlab.live.halting import Halt, OverBudget, Stop, Stopped
    from costlab.live.local import (
        LOCAL_INSTALL,
        local_model,
        local_model_ready,
        LocalServer,
        NoLocalModel,
        small_model_note,
    )
    from costlab.live.reconciling import MonitorCheck
    from costlab.live.recording import Happening
    from costlab.live.samples import code_limits, expects, sample_agent, SAMPLE_TOOLS, SampleTask, TASKS
    from costlab.live.routes import key_variable, key_variables, live_name, one_key, runnable
    from costlab.live.tracking import Result, Track
    from costlab.live.trials import (
        Entrant, Leg, MOST_ENTRANTS, MOST_REPEATS, MOST_STEPS, MOST_TASK_LETTERS, recorded_trial, SMALL_MODEL_TOKENS,
        Trial, trial_mark, TrialPlan, TrialRules, Trials, TrialView,
    )  # fmt: skip
    from costlab.media import MediaTokens
    from costlab.models import ModelFacts
    from costlab.money import (
        cell, change, column, column_decimals, compact, converted, duration, exact, headline, interval, markdown,
        per_tasks, tokens, unit_price, usd,
    )  # fmt: skip
    from costlab.monitoring import (
        Amount, Fault, FAULTS, Metrics, ModelFigures, Range, Repeated, repeated, Spread, ToolFigures,
    )  # fmt: skip
    from costlab.pricebook import check_prices, diff_prices, renew_prices
    from costlab.prices import call_moment, ModelRates, Period, PriceTable, Rate, Resolved
    from costlab.projection import Alternative, Baseline, cheapest_first, Terms
    from costlab.media_quotes import MediaQuote
    from costlab.quoting import Quote
    from costlab.replay import cold_start, first_run, Moment, moments, paid_again, resent
    from costlab.report.cards import card
    from costlab.report.comparison import Comparison
    from costlab.report.page import report_html
    from costlab.report.sheet import comparison_csv
    from costlab.runs import LOCAL_PROVIDERS, ModelCall, Run, Step, title_of, ToolCall
    from costlab.sketching import parse_sketch, Sketch, sketch, SKETCH_NOTE, SketchedPicture, SKETCHES
    from costlab.store import MemoryStore, Room, shipped_only, Store
    from costlab.words import (
        amount_name, basis_name, bound_name, correct_name, doubts, duration_name, ended_name, ENGLISH,
        fault_name, invoice_note, kind_name, KINDS, share_name, state_name, step_name, task_title,
        unbilled_name, unit_name, Words,
    )  # fmt: skip

_HOME = {
    "costlab.catalog.check": "Report",
    "costlab.catalog.diff": "Change RunChange worth",
    "costlab.catalog.disagree": "Disagreement disagreements Stake",
    "costlab.catalog.overrides": "Overrides",
    "costlab.catalog.renewal": "Renewal",
    "costlab.catalog.rows": "cells_of",
    "costlab.cost": "Cost LOCAL_NOTE rate_gone run_counts RunCost total_of",
    "costlab.cube": "BulkCost ModelTotal",
    "costlab.door.live": "live_agent live_model run track",
    "costlab.door.media": "LEVELS media_tokens price_media",
    "costlab.door.models": "default_models DEFAULT_MODELS facts hosts_of makers_first model_names model_part "
    "near_models REFERENCE_MODEL reference_model resolve",
    "costlab.door.monitor": "metrics",
    "costlab.door.elsewhere": "baseline compare on_model",
    "costlab.door.pricing": "price price_many price_run quote quote_text",
    "costlab.door.recordings": "files_in import_bytes import_file looks_like_table read read_table",
    "costlab.door.reports": "comparison save_report",
    "costlab.door.sources": "at_stake price_history",
    "costlab.door.tables": "edit_rate find_rates load_table parse_prices price_stamp prices_csv pricing_folder "
    "read_overrides save_overrides",
    "costlab.door.trials": "trials",
    "costlab.edits": "differences Edit edit merged own_edits shown typed_price",
    "costlab.errors": "BadInput Conflict CostLabError MissingExtra NoRecording NotFound TooLarge UnknownModel",
    "costlab.favourites": "read_favourites save_favourites",
    "costlab.files": "home json_records",
    "costlab.importers": "formats Imported",
    "costlab.importers.delimited": "Table",
    "costlab.importers.headers": "TABLE_FIELDS",
    "costlab.importers.places": "session_folders SessionFolder",
    "costlab.importers.smolagents": "save",
    "costlab.importers.table": "Effect guess_mapping table_effects table_runs TableMapping",
    "costlab.languages": "error_text LANGUAGES words_of",
    "costlab.live.budget": "Budget Purse",
    "costlab.live.halting": "Halt OverBudget Stop Stopped",
    "costlab.live.local": "LOCAL_INSTALL local_model local_model_ready LocalServer NoLocalModel small_model_note",
    "costlab.live.reconciling": "MonitorCheck",
    "costlab.live.recording": "Happening",
    "costlab.live.samples": "code_limits expects sample_agent SAMPLE_TOOLS SampleTask TASKS",
    "costlab.live.routes": "key_variable key_variables live_name one_key runnable",
    "costlab.live.tracking": "Result Track",
    "costlab.live.trials": "Entrant Leg MOST_ENTRANTS MOST_REPEATS MOST_STEPS MOST_TASK_LETTERS recorded_trial "
    "SMALL_MODEL_TOKENS Trial trial_mark TrialPlan TrialRules Trials TrialView",
    "costlab.money": "cell change column column_decimals compact converted duration exact headline interval markdown "
    "per_tasks tokens unit_price usd",
    "costlab.monitoring": "Amount Fault FAULTS Metrics ModelFigures Range Repeated repeated Spread ToolFigures",
    "costlab.pricebook": "check_prices diff_prices renew_prices",
    "costlab.prices": "call_moment ModelRates Period PriceTable Rate Resolved",
    "costlab.projection": "Alternative Baseline cheapest_first",
    "costlab.media_quotes": "MediaQuote",
    "costlab.quoting": "Quote",
    "costlab.replay": "cold_start first_run Moment moments paid_again resent",
    "costlab.report.cards": "card",
    "costlab.report.comparison": "Comparison",
    "costlab.report.page": "report_html",
    "costlab.report.sheet": "comparison_csv",
    "costlab.runs": "LOCAL_PROVIDERS ModelCall Run Step title_of ToolCall",
    "costlab.sketching": "parse_sketch Sketch sketch SKETCH_NOTE SketchedPicture SKETCHES",
    "costlab.store": "MemoryStore Room shipped_only Store",
    "costlab.words": "amount_name basis_name bound_name correct_name doubts duration_name ended_name ENGLISH "
    "fault_name invoice_note kind_name KINDS share_name state_name step_name task_title "
    "unbilled_name unit_name Words",
}
_WHERE = {name: module for module, names in _HOME.items() for name in names.split()}
_ROOMS = ("charts", "frames")


def __getattr__(name: str) -> object:
    """Load a name of the door on first use, and know it from then on; a missing extra is named."""
    if name in _WHERE:
        found: object = getattr(import_module(_WHERE[name]), name)
        globals()[name] = found
        return found
    if name in _ROOMS:
        from costlab.door.extras import with_extra

        return with_extra(f"costlab.{name}")
    raise AttributeError(f"module 'costlab' has no attribute {name!r}")


def _card(thing: object) -> str:
    """Return how an object shows itself in a notebook; what writes it is loaded now."""
    return str(import_module("costlab.report.cards").card(thing))


_written_by(_card)  # the core's objects show themselves without knowing any HTML (costlab/showing.py)
