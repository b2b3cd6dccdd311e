"""One line for users: `run` an agent, or `track` a program that runs agents by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from contextvars import Token
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Any, Self

from costlab.cost import RunCost, price_run, run_counts
from costlab.errors import CostLabError
from costlab.live import watching
from costlab.live.budget import Purse
from costlab.live.context import TRACK, ContextPool
from costlab.live.halting import Halt, OverBudget, Stopped
from costlab.live.patches import PATCHES
from costlab.live.reconciling import MonitorCheck
from costlab.live.recording import Node, Place, Recorder, Settings
from costlab.live.redaction import secrets_of
from costlab.live.wire import watched_send
from costlab.runs import Run
from costlab.store import read
from costlab.usage import Number, UsageWarning

_OWNERS: dict[int, list[Track]] = {}
_LOCK = RLock()


@dataclass(frozen=True)
class Result:
    """What one run gave: its answer, how it ended, and its recording, from which counts and cost are worked out.

    `error` is the text of what ended it, without keys; `exception` the exception itself. `checks` compare each
    agent's own monitor with what was metered.
    """

    answer: object
    state: str
    path: Path
    settings: Settings
    error: str | None = None
    exception: BaseException | None = None
    checks: tuple[MonitorCheck, ...] = ()

    @cached_property
    def run(self) -> Run:
        """Return the run as its recording holds it."""
        return read(self.path)

    @property
    def run_id(self) -> str:
        """Return the run's id."""
        return self.run.run_id

    @property
    def counts(self) -> Mapping[str, Number]:
        """Return inclusive counts by unit key, of all calls."""
        return run_counts(self.run)

    @cached_property
    def cost(self) -> RunCost:
        """Return what the run cost in USD, call by call."""
        from datetime import UTC, datetime

        return price_run(self.run, self.settings.meter.table, now=datetime.now(UTC))


class Track:
    """Meters agents while it is open: each run that is begun in it becomes a recording of its own.

    Afterwards everything is as it was before. Tracks may overlap, on one agent or model too, in any threads.
    """

    def __init__(self, agents: Iterable[Any], settings: Settings) -> None:
        self.agents = tuple(team_of(agents))
        if not self.agents:
            raise CostLabError("there is no agent to track")
        self.models = tuple(models_of(self.agents))
        self.settings = replace(settings, secrets=(*settings.secrets, *secrets_of(self.models)))
        self._recorders: list[Recorder] = []
        self._results: list[Result] = []
        self._patched: list[tuple[Any, str]] = []
        self._owned: list[int] = []
        self._token: Token[Track | None] | None = None
        self._lock = RLock()
        self.check: object = None
        self.run_id: str | None = None  # of the run that is begun next

    # for its user

    @property
    def results(self) -> tuple[Result, ...]:
        """Return what each ended run gave, in the order of their ends."""
        return tuple(self._results)

    @property
    def result(self) -> Result:
        """Return what the last ended run gave; raises CostLabError where none has ended."""
        if not self._results:
            raise CostLabError("no run has ended in this track yet")
        return self._results[-1]

    @property
    def runs(self) -> tuple[Run, ...]:
        """Return the recordings of all runs that have ended."""
        return tuple(result.run for result in self._results)

    @property
    def run(self) -> Run:
        """Return the recording of the last run that has ended."""
        return self.result.run

    @property
    def paths(self) -> tuple[Path, ...]:
        """Return the files of all recordings, those of runs under way too."""
        return tuple(recorder.path for recorder in self._recorders)

    @property
    def purse(self) -> Purse:
        """Return what the budget still holds."""
        return self.settings.purse

    def stop(self) -> None:
        """End every run of this track at once, from any thread."""
        self.settings.stop.press()

    # the wraps

    def __enter__(self) -> Self:
        self._refuse_unpriced()
        try:
            self._put_world()
            for agent in self.agents:
                self._put_agent(agent)
            for model in self.models:
                self._put_model(model)
        except BaseException:
            self._drop()
            raise
        self._token = TRACK.set(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._token is not None:
            with suppress(ValueError):  # closed in another context than it was opened in
                TRACK.reset(self._token)
        self._drop()
        for recorder in tuple(self._recorders):
            if not recorder.ended:
                self.finish(recorder, recorder.nodes[0], error)

    def _refuse_unpriced(self) -> None:
        budget = self.settings.purse.budget
        if budget.usd is None or budget.allow_unpriced:
            return
        for model in self.models:
            name = getattr(model, "model_id", None)
            who = self.settings.meter.who(model, name) if isinstance(name, str) else ("", "")
            if not self.settings.meter.priced(who):
                said = "/".join(filter(None, who)) or type(model).__name__
                raise CostLabError(
                    f"a budget in USD cannot hold {said}: it has no price; give it one, set a limit in tokens, calls "
                    "or seconds instead, or allow models without a price"
                )

    def _put_world(self) -> None:
        import time

        import httpx
        import smolagents.local_python_executor as executor

        self._put(httpx.Client, "send", watched_send)
        self._put(time, "sleep", watching.patient_sleep)
        if hasattr(executor, "ThreadPoolExecutor"):
            self._put(executor, "ThreadPoolExecutor", lambda _: ContextPool)

    def _put(self, target: Any, name: str, wrap: Callable[[Any], Any]) -> None:
        if callable(getattr(target, name, None)) and PATCHES.put(target, name, wrap):
            self._patched.append((target, name))

    def _own(self, target: Any) -> watching.Find:
        """Note that this track meters an object, and return how its wrapper finds the track to book to."""
        key = id(target)
        with _LOCK:
            _OWNERS.setdefault(key, []).append(self)
            self._owned.append(key)

        def find() -> Track | None:
            track = TRACK.get()
            owners = tuple(_OWNERS.get(key, ()))
            return track if track in owners else owners[-1] if owners else None

        return find

    def _put_agent(self, agent: Any) -> None:
        find = self._own(agent)
        self._put(agent, "_run_stream", watching.run_stream(agent, find))
        self._put(agent, "_step_stream", watching.step_stream("action", agent))
        self._put(agent, "_generate_planning_step", watching.step_stream("planning", agent))
        self._put(agent, "provide_final_answer", watching.final_answer(agent))
        self._put(agent, "execute_tool_call", watching.execute_tool_call(agent))
        for name, tool in getattr(agent, "tools", {}).items():
            if name != "final_answer":
                self._put(tool, "forward", watching.tool_forward(str(name)))
        for name, managed in getattr(agent, "managed_agents", {}).items():
            self._put(managed, "run", watching.tool_forward(str(name)))

    def _put_model(self, model: Any) -> None:
        find = self._own(model)
        self._put(model, "generate", watching.generate(model, find))
        self._put(model, "generate_stream", watching.generate_stream(model, find))
        self._put(model, "retryer", watching.retryer(model))

    def _drop(self) -> None:
        for target, name in reversed(self._patched):
            PATCHES.drop(target, name)
        self._patched.clear()
        with _LOCK:
            for key in self._owned:
                _OWNERS[key].remove(self)
                if not _OWNERS[key]:
                    del _OWNERS[key]
            self._owned.clear()

    # its runs

    def begin(self, agent: Any, task: str) -> Recorder:
        """Begin the recording of a run."""
        with self._lock:
            run_id, self.run_id = self.run_id, None
            recorder = Recorder(self.settings, agent, task, run_id)
            self._recorders.append(recorder)
        return recorder

    def loose_place(self) -> Place:
        """Return where a call stands that no agent's run is known of: in the run begun last, else in one of its own."""
        with self._lock:
            under_way = [r for r in self._recorders if not r.ended]
            if under_way and under_way[-1].nodes:
                return Place(under_way[-1].nodes[0])
            recorder = Recorder(self.settings, self.agents[0], "")
            self._recorders.append(recorder)
            return Place(recorder.enter(self.agents[0], None))

    def finish(self, recorder: Recorder, node: Node, error: BaseException | None) -> None:
        """Write a run's end and keep what it gave."""
        state = state_of(recorder, node, error)
        text = recorder.clean(f"{type(error).__name__}: {error}")[:2_000] if error is not None else None
        answer = node.answer
        checks = tuple(n.check for n in recorder.nodes if n.check is not None)
        notes = [check.warning() for check in checks if not check.equal]
        if isinstance(recorder.halted, OverBudget):
            notes.append(UsageWarning("over_budget", recorder.halted.limit, str(recorder.halted)))
        notes += [UsageWarning("not_recorded", "recording", problem) for problem in dict.fromkeys(recorder.problems)]
        if state == "failed" and text:
            notes.append(UsageWarning("run_failed", "run", text[:300]))
        correct = verdict(self.check, answer) if answer is not None else (False if self.check is not None else None)
        recorder.end(state, answer, tuple(notes), correct)
        with self._lock:
            self._results.append(Result(answer, state, recorder.path, self.settings, text, error, checks))


def state_of(recorder: Recorder, node: Node, error: BaseException | None) -> str:
    """Return how a run ended, in the words of a recording."""
    if isinstance(error, Halt):
        return error.state
    if recorder.halted is not None:
        return recorder.halted.state
    if error is None:
        return "max_steps" if node.at_limit else "success"
    closed = isinstance(error, RuntimeError) and isinstance(error.__context__, GeneratorExit)
    interrupted = type(error).__name__ == "AgentError" and "interrupted" in str(error).lower()
    if closed or interrupted or isinstance(error, GeneratorExit | KeyboardInterrupt | Stopped):
        return "stopped"
    return "failed"


def team_of(agents: Iterable[Any]) -> Iterator[Any]:
    """Yield agents and all that they manage, at any depth, each once; raises CostLabError for what is no agent."""
    seen: set[int] = set()
    waiting = list(agents)
    while waiting:
        agent = waiting.pop(0)
        if id(agent) in seen:
            continue
        if not hasattr(agent, "_run_stream") or not hasattr(agent, "model"):
            raise CostLabError(f"{type(agent).__name__} is no smolagents agent of a version that can be metered")
        seen.add(id(agent))
        yield agent
        waiting += list((getattr(agent, "managed_agents", None) or {}).values())


def models_of(agents: Iterable[Any]) -> Iterator[Any]:
    """Yield the models of agents, those that their tools hold, and those that models ask; each once."""
    seen: set[int] = set()
    waiting: list[Any] = []
    for agent in agents:
        waiting += [agent.model, *_held(*getattr(agent, "tools", {}).values())]
    while waiting:
        model = waiting.pop(0)
        if id(model) not in seen:
            seen.add(id(model))
            yield model
            waiting += _held(model)


def _held(*holders: Any) -> list[Any]:
    """Return the models among the attributes of objects, or in their lists and dictionaries."""
    from smolagents import Model

    found = []
    for holder in holders:
        for value in getattr(holder, "__dict__", {}).values():
            inner = (
                value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else (value,)
            )
            found += [one for one in inner if isinstance(one, Model)]
    return found


def run(
    tracked: Track, agent: Any, task: str, options: Mapping[str, Any], check: object = None, run_id: str | None = None
) -> Result:
    """Run an agent on a task in a track of its own and return what it gave, however it ended.

    `check` says whether an answer is right: a value that it must equal as text, or a function of it. What comes from
    outside of the run (the keyboard, a refusal before it began) is raised.
    """
    tracked.check, tracked.run_id = check, run_id
    with tracked:
        try:
            agent.run(task, **options)
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except BaseException:  # what ended the run is in its result
            if not tracked.results:
                raise
    return tracked.result


def verdict(check: object, answer: object) -> bool | None:
    """Return whether an answer is right, or None where nothing says so; a check that fails by itself says nothing."""
    if check is None:
        return None
    try:
        return bool(check(answer)) if callable(check) else str(answer).strip() == str(check).strip()
    except Exception:  # noqa: BLE001 - a user's own function
        return None
