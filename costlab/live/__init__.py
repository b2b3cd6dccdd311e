"""Agents that run now: every model call metered, a budget that holds, a stop that works at once.

Three nested points, each for what only it can see (docs/live.md has what was measured): a **call** is an instance
wrap of `model.generate` and `generate_stream`; an **exchange** is an instance swap of `model.retryer`, which sees the
final request and the raw answer or stream; an **attempt** is one `httpx.Client.send`. All wraps are counted, find
their run by context variables at call time, and are gone when the last track ends.
"""

from costlab.live.asking import unseen
from costlab.live.budget import Alarm, Budget, Purse
from costlab.live.halting import Halt, OverBudget, Stop, Stopped
from costlab.live.metering import Meter
from costlab.live.reconciling import Missing, MonitorCheck
from costlab.live.recording import Happening, Settings
from costlab.live.tracking import Result, Track, run

__all__ = [
    "Alarm",
    "Budget",
    "Halt",
    "Happening",
    "Meter",
    "Missing",
    "MonitorCheck",
    "OverBudget",
    "Purse",
    "Result",
    "Settings",
    "Stop",
    "Stopped",
    "Track",
    "run",
    "unseen",
]
