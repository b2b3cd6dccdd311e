"""The numbers of one run or of many: how fast, how often wrong, what it cost, and which tool the money went to."""

from __future__ import annotations

from costlab.monitoring.allocation import Allocation, ToolMoney, allocate
from costlab.monitoring.faults import FAULTS, Attempts, Fault
from costlab.monitoring.owned import Own, own_of
from costlab.monitoring.repeats import Range, Repeated, repeated
from costlab.monitoring.spreads import Amount, Spread
from costlab.monitoring.summary import Metrics, ModelFigures, ToolFigures, summarise

__all__ = [
    "FAULTS",
    "Allocation",
    "Amount",
    "Attempts",
    "Fault",
    "Metrics",
    "ModelFigures",
    "Own",
    "Range",
    "Repeated",
    "Spread",
    "ToolFigures",
    "ToolMoney",
    "allocate",
    "own_of",
    "repeated",
    "summarise",
]
