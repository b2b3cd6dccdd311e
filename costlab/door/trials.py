"""Live runs side by side, as the door offers them; the extra `agents` is needed only where one begins."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from costlab.door.live import live_agent, live_model, run
from costlab.live.models import NO_KEY
from costlab.live.routes import key_variable
from costlab.live.samples import picture_of
from costlab.live.trials import SMALL_MODEL_TOKENS, Entrant, Lap, TrialPlan, TrialRules, Trials
from costlab.runs import Run


def trials(rules: TrialRules | None = None, *, home: str | Path | None = None, **limits: int) -> Trials:
    """Return a registry of trials: one for a server. Recordings go into the home, or nowhere if the rules say so."""
    return Trials(lambda plan, entrant, lap: _performed(plan, entrant, lap, home), rules, **limits)


def _performed(plan: TrialPlan, entrant: Entrant, lap: Lap, home: str | Path | None) -> Run:
    """Run one model of a trial once and return its recording; raises CostLabError where it could not begin."""
    if lap.kept:
        return _ran(plan, entrant, lap, home)
    with tempfile.TemporaryDirectory(prefix="costlab-") as folder:  # a live run is written as it happens
        return _ran(plan, entrant, lap, folder)


def _ran(plan: TrialPlan, entrant: Entrant, lap: Lap, home: str | Path | None) -> Run:
    limit = min(plan.max_tokens, SMALL_MODEL_TOKENS) if entrant.small else plan.max_tokens
    settings: dict[str, Any] = {"max_tokens": limit}
    if entrant.small:
        settings["flatten_messages_as_text"] = True  # its chat template takes text alone
    model = live_model(entrant.model, api_base=entrant.api_base, api_key=_key(entrant), **settings)
    agent = live_agent(
        plan.kind, model, planning=plan.planning, steps=plan.steps, streamed=plan.streamed, tools=plan.tools
    )
    meta = {
        "trial": lap.trial, "repeat": lap.repeat, "entrant": entrant.name, "place": lap.place, "agent_kind": plan.kind,
        "streamed": plan.streamed, "planning": plan.planning, "max_steps": plan.steps, "max_tokens": limit,
    }  # fmt: skip
    more: dict[str, Any] = {}
    if plan.pictures and not entrant.small:
        more["images"] = [picture_of(data) for data in plan.pictures]
    result = run(
        agent, plan.task, budget=lap.purse, stop=lap.stop, watch=lap.watch, check=plan.check, home=home,
        table=plan.table, title=plan.title, keys=(entrant.api_key,) if entrant.api_key else (),
        meta={name: value for name, value in meta.items() if value is not None},
        **more,
    )  # fmt: skip
    return result.run


def _key(entrant: Entrant) -> str | None:
    """Return the key that goes with a model's requests: typed, else of its own provider's variable.

    An address that somebody typed is never sent a key of the environment: it may be anybody's.
    """
    if entrant.api_key or entrant.api_base:
        return entrant.api_key or NO_KEY
    variable = key_variable(entrant.model)
    return os.environ[variable] if variable else None
