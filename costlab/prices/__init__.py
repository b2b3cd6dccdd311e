"""Rates, price tables, and which rate applies: every condition of a price, written once.

The rules are DESIGN.md section 4: layers (catalog < corrections < overrides), conditions, which row wins, tier words,
ancestors, dates.
"""

from costlab.prices.finding import Edges, Finder, Found, PriceBook, Split, edges, split
from costlab.prices.history import Period, history
from costlab.prices.rates import (
    CHEAPER_TIERS,
    DEARER_TIERS,
    DOUBTFUL,
    LAYERS,
    OWN_LAYERS,
    SOURCES,
    STANDARD_WORDS,
    WHEN_KEYS,
    Conditions,
    ModelRates,
    Rate,
    When,
    conditions_of,
    matches,
    precedence,
    tier_context,
)
from costlab.prices.table import Laid, Names, PriceTable, Resolved
from costlab.prices.windows import Windows, call_moment, parse_moment, parse_windows

__all__ = [
    "CHEAPER_TIERS",
    "DEARER_TIERS",
    "DOUBTFUL",
    "LAYERS",
    "OWN_LAYERS",
    "SOURCES",
    "STANDARD_WORDS",
    "WHEN_KEYS",
    "Conditions",
    "Edges",
    "Finder",
    "Found",
    "Laid",
    "ModelRates",
    "Names",
    "Period",
    "PriceBook",
    "PriceTable",
    "Rate",
    "Resolved",
    "Split",
    "When",
    "Windows",
    "call_moment",
    "conditions_of",
    "edges",
    "history",
    "matches",
    "parse_moment",
    "parse_windows",
    "precedence",
    "split",
    "tier_context",
]
