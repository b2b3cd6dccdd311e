"""Agents that run now, as the door offers them: `run` and `track`; the extra `agents` is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from costlab import files
from costlab.door.extras import with_extra
from costlab.door.models import _facts
from costlab.door.tables import load_table, price_stamp, pricing_folder
from costlab.errors import CostLabError
from costlab.prices import PriceTable

if TYPE_CHECKING:
    from costlab.live.budget import Budget, Purse
    from costlab.live.halting import Stop
    from costlab.live.recording import Happening, Settings
    from costlab.live.tracking import Result, Track


def track(  # noqa: PLR0913 - one keyword for each setting of a live run
    *agents: Any,
    budget: Budget | Purse | None = None,
    stop: Stop | None = None,
    watch: Callable[[Happening], None] | None = None,
    home: str | Path | None = None,
    table: PriceTable | None = None,
    pricing: str | Path | None = None,
    title: str | None = None,
    meta: Mapping[str, object] | None = None,
    keys: tuple[str, ...] = (),
    unseen: Sequence[Any] = (),
) -> Track:
    """Return a track: `with costlab.track(agent) as tracked:` meters every run of the agent and of those it manages.

    A program inside needs no change. `budget` (a Purse is shared by several tracks) ends a run before the call that
    would pass it: OverBudget is raised, which is a BaseException. `stop.press()` ends it at once (Stopped). `watch`
    is told each event. `keys` are secrets that must not be recorded, beside those of the models and the environment.
    `unseen` are pictures (of PIL) that belong to each call and that the model, which reads text only, is not shown:
    they stand in the recording, and each model's own formula counts them. Raises CostLabError, MissingExtra.
    """
    live = with_extra("costlab.live", "agents")
    settings = replace(
        _settings(budget, stop, watch, table or _table(pricing, home), pricing),
        folder=files.home(home) / "runs", title=title, meta=meta or {}, secrets=keys, source=_source(),
        unseen=live.unseen(unseen),
    )  # fmt: skip
    opened: Track = live.Track(agents, settings)
    return opened


def run(  # noqa: PLR0913 - one keyword for each setting of a live run
    agent: Any,
    task: str,
    *,
    budget: Budget | Purse | None = None,
    stop: Stop | None = None,
    watch: Callable[[Happening], None] | None = None,
    check: object = None,
    home: str | Path | None = None,
    table: PriceTable | None = None,
    pricing: str | Path | None = None,
    title: str | None = None,
    meta: Mapping[str, object] | None = None,
    keys: tuple[str, ...] = (),
    unseen: Sequence[Any] = (),
    run_id: str | None = None,
    **options: Any,
) -> Result:
    """Run a smolagents agent on a task; the result has its answer, state, counts, cost and recording.

    A run that fails, is stopped or reaches its budget gives a result too, whose `state` says so. `check` is the right
    answer, or a function that says whether an answer is right. `options` go to `agent.run` (images, max_steps, ...).
    `run_id` names the recording; a Conflict is raised where there is one already. For the rest see `track`.
    """
    if unseen and options.get("images"):
        raise CostLabError("the pictures of a run are shown to its model or are not: give `images` or `unseen`")
    tracked = track(
        agent, budget=budget, stop=stop, watch=watch, home=home, table=table, pricing=pricing, title=title, meta=meta,
        keys=keys, unseen=unseen,
    )  # fmt: skip
    live = with_extra("costlab.live", "agents")
    found: Result = live.run(tracked, agent, task, options, check, run_id)
    return found


def _settings(
    budget: Budget | Purse | None,
    stop: Stop | None,
    watch: Callable[[Happening], None] | None,
    table: PriceTable,
    pricing: str | Path | None,
) -> Settings:
    live = with_extra("costlab.live", "agents")
    purse = budget if isinstance(budget, live.Purse) else live.Purse(budget)
    facts = _facts(pricing_folder(pricing)) if purse.budget.strict else {}
    meter = live.Meter(table, facts, purse.budget)
    found: Settings = live.Settings(Path(), meter, purse, stop or live.Stop(), watch=watch)
    return found


def _table(pricing: str | Path | None, home: str | Path | None) -> PriceTable:
    """Return the price table, read again only when a price file has changed: a program may run many agents."""
    return _loaded(pricing, files.home(home), price_stamp(pricing, home))


@lru_cache(maxsize=2)
def _loaded(pricing: str | Path | None, home: Path, stamp: str) -> PriceTable:
    return load_table(pricing, home)


def _source() -> dict[str, str]:
    found = {"format": "costlab.recording", "made_by": "costlab.run"}
    for package in ("smolagents", "litellm", "openai"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def live_model(name: str, *, api_base: str | None = None, api_key: str | None = None, **settings: Any) -> Any:
    """Return a smolagents model object for `provider/model`, with the key given or the environment's.

    `openai/...` speaks to any OpenAI-compatible `api_base`; `settings` go with each request (`max_tokens`, ...).
    Raises CostLabError where a key is needed and there is none, MissingExtra.
    """
    models = with_extra("costlab.live.models", "agents")
    return models.model_at(name, api_base=api_base, api_key=api_key, **settings)


def live_agent(
    kind: str,
    model: Any,
    *,
    planning: int | None = None,
    steps: int = 8,
    streamed: bool = False,
    tools: Iterable[str] | None = None,
) -> Any:
    """Return the sample agent on a model, streaming or not, that prints nothing; `code` runs model-written code.

    `tools` are names of sample tools, all of them unless said.
    """
    from costlab.live.samples import sample_agent

    models = with_extra("costlab.live.models", "agents")
    more = {"logger": models.quiet_logger(), "stream_outputs": streamed}
    return sample_agent(kind, model, planning=planning, steps=steps, tools=tools, allow_code=kind == "code", **more)
