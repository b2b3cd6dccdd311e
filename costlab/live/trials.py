"""Live runs side by side: a *trial* is one task, one to four models, each as often as wanted, under one budget.

Each model has a thread of its own; its runs follow each other. Nothing here knows of a page: whoever holds a trial's
id reads a copy of where it stands, or stops it. Keys are with the threads that need them and nowhere else.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from threading import BoundedSemaphore, Lock, RLock, Thread

from costlab.errors import BadInput, Conflict
from costlab.live.budget import USD, Budget, Purse
from costlab.live.gathering import Gathered
from costlab.live.halting import Stop
from costlab.live.local import local_model
from costlab.live.recording import Happening
from costlab.live.redaction import redacted
from costlab.live.routes import one_key
from costlab.prices import PriceTable
from costlab.runs import Run

MOST_ENTRANTS, MOST_REPEATS = 4, 10
MOST_STEPS = 50
MOST_TASK_LETTERS = 20_000  # of a task
SMALL_MODEL_TOKENS = 256  # output of one call: it is slow, and finds no end
_LONGEST_ERROR = 400


@dataclass(frozen=True, slots=True)
class Entrant:
    """One model of a trial: `name` is what it is called, `model` what `live_model` takes.

    `small`: the extra's local model, which is started for the trial. `api_key` is in no copy that a trial gives out.
    """

    name: str
    model: str = ""
    api_base: str | None = None
    api_key: str | None = field(default=None, repr=False)
    small: bool = False


@dataclass(frozen=True)
class TrialPlan:
    """What a trial runs: the task with its check and pictures, the agent, the models, how often, and the budget.

    `pictures` are the bytes of picture files. `max_tokens` limits the output of one call.
    """

    entrants: tuple[Entrant, ...]
    task: str
    table: PriceTable = field(repr=False)
    title: str | None = None
    check: object = None
    pictures: tuple[bytes, ...] = field(default=(), repr=False)
    kind: str = "tool"
    tools: tuple[str, ...] | None = None
    planning: int | None = None
    steps: int = 8
    streamed: bool = True
    max_tokens: int = 4_000
    repeats: int = 1
    budget: Budget = field(default_factory=Budget)


@dataclass(frozen=True, slots=True)
class TrialRules:
    """What a server lets its visitors do with a trial; by default all that the machine's own user may.

    `kept`: recordings are written into the home. `environment`: keys of the environment may be used. `most_seconds`:
    a trial must have a budget of at most so much time. `lent_usd`: all trials together may spend so much with keys of
    the environment, and each of them needs a budget in USD that holds all its models.
    """

    kept: bool = True
    environment: bool = True
    addresses: bool = True
    small: bool = True
    code: bool = True
    most_seconds: float | None = None
    lent_usd: Decimal | None = None

    def lends(self, plan: TrialPlan) -> bool:
        """Return whether a trial spends what its server lends: a model of it takes a key of the environment."""
        return self.lent_usd is not None and any(
            not (one.small or one.api_base or one.api_key) for one in plan.entrants
        )

    def check(self, plan: TrialPlan) -> None:
        """Raise BadInput for a plan that these rules, or good sense, do not allow."""
        if not 1 <= len(plan.entrants) <= MOST_ENTRANTS:
            raise BadInput(f"a trial has 1 to {MOST_ENTRANTS} models, not {len(plan.entrants)}", field="models")
        if len({one.name for one in plan.entrants}) < len(plan.entrants):
            raise BadInput("a model stands twice", field="models")
        if not plan.task.strip():
            raise BadInput("there is no task", field="task")
        if len(plan.task) > MOST_TASK_LETTERS:
            raise BadInput(f"has more than {MOST_TASK_LETTERS:,} characters", field="task")
        if self.most_seconds and not (plan.budget.seconds and plan.budget.seconds <= self.most_seconds):
            raise BadInput(f"this server ends a trial after {self.most_seconds:,.0f}", field="seconds")
        limits = {"repeats": MOST_REPEATS, "steps": MOST_STEPS, "max_tokens": 10**6}
        for name, most in limits.items():
            if not 1 <= getattr(plan, name) <= most:
                raise BadInput(f"must be 1 to {most:,}", field=name)
        if self.lends(plan) and (plan.budget.usd is None or plan.budget.allow_unpriced):
            raise BadInput("with this server's keys a budget in USD has to hold all models", field="usd")
        if plan.kind == "code" and not self.code:
            raise BadInput("this server runs no code that models write", field="agent")
        for one in plan.entrants:
            self._entrant(one)

    def _entrant(self, one: Entrant) -> None:
        if one.small:
            if not self.small:
                raise BadInput("this server does not offer the local model", field=one.name)
        elif one.api_base:
            if not self.addresses:
                raise BadInput("this server speaks to no addresses of its visitors", field=one.name)
        elif not self.environment and not (one_key(one.model) and one.api_key):
            raise BadInput("needs a key of your own: this server's keys are not lent", field=one.name)


@dataclass(frozen=True, slots=True)
class Leg:
    """One run of a trial: whose (`place` in the plan's models), which time, and how far it has come.

    `state`: waiting, running, not_begun, or how the run ended. `error` says why one failed before it began.
    """

    place: int
    repeat: int
    state: str = "waiting"
    run: Run | None = None
    error: str = ""

    @property
    def over(self) -> bool:
        """Return whether nothing more will come."""
        return self.state not in ("waiting", "running")


@dataclass(frozen=True, slots=True)
class TrialView:
    """A copy of where a trial stands; its plan holds no keys. `left` is what the budget still holds, by limit."""

    trial_id: str
    plan: TrialPlan
    legs: tuple[Leg, ...]
    state: str  # starting, running, stopping, ended
    began: datetime
    seconds: float
    used: Mapping[str, Decimal]
    left: Mapping[str, Decimal]

    @property
    def ended(self) -> bool:
        """Return whether nothing more will come."""
        return self.state == "ended"

    def of(self, place: int) -> tuple[Leg, ...]:
        """Return the runs of one model in their order."""
        return tuple(leg for leg in self.legs if leg.place == place)


@dataclass(frozen=True, slots=True)
class Lap:
    """What one run of a trial is given: which one it is, the common budget and stop, and who is told."""

    trial: str
    place: int
    repeat: int
    purse: Purse
    stop: Stop
    watch: Callable[[Happening], None]
    kept: bool = True


Perform = Callable[[TrialPlan, Entrant, Lap], Run]


def trial_mark(trial_id: str) -> str:
    """Return what recordings say of their trial: who reads one cannot work out the link from it."""
    return sha256(trial_id.encode()).hexdigest()[:24]


def recorded_trial(trial_id: str, runs: Iterable[Run], table: PriceTable) -> TrialView | None:
    """Return what recordings still hold of a trial that no server knows any more; None where there is nothing."""
    mark = trial_mark(trial_id)
    found = [run for run in runs if run.meta.get("trial") == mark]
    names = {int(str(run.meta["place"])): str(run.meta["entrant"]) for run in found}
    if not found:
        return None
    places = {place: n for n, place in enumerate(sorted(names))}
    legs = tuple(
        Leg(places[int(str(run.meta["place"]))], int(str(run.meta["repeat"])), run.state, run)
        for run in sorted(found, key=lambda run: (int(str(run.meta["place"])), int(str(run.meta["repeat"]))))
    )
    first = found[0]
    entrants = tuple(Entrant(names[place]) for place in places)
    began = min(run.started_at for run in found if run.started_at)
    plan = TrialPlan(entrants, first.task, table, first.title, kind=str(first.meta.get("agent_kind", "tool")))
    return TrialView(trial_id, plan, legs, "ended", began, 0.0, {}, {})


class Trial:
    """One trial under way, and afterwards what came of it."""

    def __init__(self, plan: TrialPlan, rules: TrialRules, perform: Perform, slots: BoundedSemaphore) -> None:
        self.trial_id, self.began = secrets.token_urlsafe(18), datetime.now(UTC)
        self.plan = replace(plan, entrants=tuple(replace(one, api_key=None) for one in plan.entrants))
        self._lent = rules.lends(plan)
        self.stop, self.purse = Stop(), Purse(plan.budget)
        self._rules, self._perform, self._slots, self._lock = rules, perform, slots, RLock()
        self._state, self._ended_at = "starting", self.began
        self._money: tuple[Mapping[str, Decimal], Mapping[str, Decimal]] | None = None  # used and left at the end
        self._gathered: dict[tuple[int, int], Gathered] = {}
        self._legs = {
            (place, repeat): Leg(place, repeat)
            for place in range(len(plan.entrants))
            for repeat in range(1, plan.repeats + 1)
        }

    def begin(self, entrants: tuple[Entrant, ...]) -> None:
        """Start the models' threads; the entrants given here hold the keys."""
        Thread(target=self._conduct, args=(entrants,), daemon=True, name="costlab-trial").start()

    def _conduct(self, entrants: tuple[Entrant, ...]) -> None:
        try:
            with ExitStack() as stack:
                ready = [self._reached(place, one, stack) for place, one in enumerate(entrants)]
                self._now("running")
                threads = [
                    Thread(target=self._enter, args=(place, one), daemon=True, name="costlab-run")
                    for place, one in enumerate(ready)
                    if one is not None
                ]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
        finally:
            self._finish()

    def _reached(self, place: int, one: Entrant, stack: ExitStack) -> Entrant | None:
        """Return an entrant whose model answers: the small one is started. None where it cannot be."""
        if not one.small:
            return one
        try:
            spare = max(1, (os.cpu_count() or 2) - 1)  # the page wants to be drawn meanwhile
            server = stack.enter_context(local_model(threads=spare))
        except Exception as error:  # noqa: BLE001 - the others run on; the page says why this one does not
            self._failed(place, 1, str(error))
            return None
        return replace(one, model=f"openai/{server.model}", api_base=server.api_base)

    def _enter(self, place: int, one: Entrant) -> None:
        """Run one model as often as is wanted; not again where the next run could only end the same way."""
        for repeat in range(1, self.plan.repeats + 1):
            while not self._slots.acquire(timeout=0.1):
                if self.stop.requested:
                    return
            try:
                if self.stop.requested or not self._once(place, repeat, one):
                    return
            finally:
                self._slots.release()

    def _once(self, place: int, repeat: int, one: Entrant) -> bool:
        """Run one model once; return whether another run of it makes sense."""
        gathered = Gathered()
        with self._lock:
            self._gathered[place, repeat] = gathered
            self._legs[place, repeat] = Leg(place, repeat, "running")
        mark = trial_mark(self.trial_id)
        lap = Lap(mark, place, repeat, self.purse, self.stop, gathered.add, self._rules.kept)
        try:
            run = self._perform(self.plan, one, lap)
        except BaseException as error:  # noqa: BLE001 - a thread has nobody above it; the page says why
            secret = (one.api_key,) if one.api_key else ()
            self._failed(place, repeat, redacted(f"{type(error).__name__}: {error}", secret))
            return False
        with self._lock:
            self._gathered.pop((place, repeat), None)
            self._legs[place, repeat] = Leg(place, repeat, run.state, run)
        answered = any(call.status == "ok" for call in run.calls)
        return run.state in ("success", "max_steps") or (run.state == "failed" and answered)

    def _failed(self, place: int, repeat: int, why: str) -> None:
        with self._lock:
            gathered = self._gathered.pop((place, repeat), None)
            self._legs[place, repeat] = Leg(
                place, repeat, "failed", gathered.run() if gathered else None, why[:_LONGEST_ERROR]
            )

    def _now(self, state: str) -> None:
        with self._lock:
            self._state = state

    def _finish(self) -> None:
        """Note the end: what never began says so, the budget's clock stands, pictures are let go."""
        with self._lock:
            for key, leg in self._legs.items():
                if leg.state == "waiting":
                    self._legs[key] = replace(leg, state="not_begun")
            self._state, self._ended_at = "ended", datetime.now(UTC)
            self._money = self.purse.used(), self.purse.left()
            self.plan = replace(self.plan, pictures=())

    def taken(self) -> Decimal:
        """Return the USD that it takes of what its server lends: what it spent, and until it ends all that it may."""
        with self._lock:
            if not self._lent or self.plan.budget.usd is None:
                return Decimal(0)
            return self._money[0][USD] if self._money else self.plan.budget.usd

    def view(self) -> TrialView:
        """Return a copy of where it stands."""
        with self._lock:
            legs = [replace(leg, run=self._gathered[key].run()) if key in self._gathered else leg
                    for key, leg in self._legs.items()]  # fmt: skip
            state, end, plan = self._state, self._ended_at, self.plan
            used, left = self._money or (self.purse.used(), self.purse.left())
        if state != "ended":
            state, end = "stopping" if self.stop.requested else state, datetime.now(UTC)
        seconds = (end - self.began).total_seconds()
        return TrialView(self.trial_id, plan, tuple(legs), state, self.began, seconds, used, left)


class Trials:
    """All trials of one server, by their ids, which nobody can guess."""

    def __init__(
        self, perform: Perform, rules: TrialRules | None = None, *, most_runs: int = 8, most_open: int = 16,
        most_kept: int = 64,
    ) -> None:  # fmt: skip
        """Allow `most_runs` runs and `most_open` trials at a time; of those that have ended, `most_kept` are held."""
        self.rules = rules or TrialRules()
        self._perform, self._slots, self._lock = perform, BoundedSemaphore(most_runs), Lock()
        self._most_open, self._most_kept = most_open, most_kept
        self._trials: dict[str, Trial] = {}
        self._gone = Decimal(0)  # of what is lent, spent by trials that are no longer held

    def lent_left(self) -> Decimal | None:
        """Return the USD that new trials may still take of what the server lends; None where there is no such limit.

        A trial under way counts with its whole budget.
        """
        if self.rules.lent_usd is None:
            return None
        with self._lock:
            return self._left_of(self.rules.lent_usd)

    def _left_of(self, most: Decimal) -> Decimal:
        return max(most - self._gone - sum((one.taken() for one in self._trials.values()), Decimal(0)), Decimal(0))

    def _lend(self, plan: TrialPlan) -> None:
        """Raise Conflict for a plan whose budget is more than what is left to lend."""
        if self.rules.lent_usd is None or plan.budget.usd is None or not self.rules.lends(plan):
            return
        left = self._left_of(self.rules.lent_usd)
        if plan.budget.usd > left:
            most = self.rules.lent_usd
            raise Conflict(f"this server's keys are lent for {most} USD in all, of which {left:.2f} are left")

    def start(self, plan: TrialPlan) -> str:
        """Begin a trial and return its id; raises BadInput for a plan that cannot be, Conflict on a busy server."""
        self.rules.check(plan)
        trial = Trial(plan, self.rules, self._perform, self._slots)
        with self._lock:
            ended = [key for key, one in self._trials.items() if one.view().ended]
            if len(self._trials) - len(ended) >= self._most_open:
                raise Conflict("as many trials run on this server as it takes; try again when one has ended")
            self._lend(plan)
            for key in ended[: max(0, len(ended) - self._most_kept + 1)]:
                self._gone += self._trials.pop(key).taken()
            self._trials[trial.trial_id] = trial
        trial.begin(plan.entrants)
        return trial.trial_id

    def view(self, trial_id: str) -> TrialView | None:
        """Return where a trial stands, or None where it is not known (any more)."""
        trial = self._trials.get(trial_id)
        return trial.view() if trial else None

    def stop(self, trial_id: str) -> None:
        """End all runs of a trial at once; what was spent is kept. One that is not known is no error."""
        trial = self._trials.get(trial_id)
        if trial:
            trial.stop.press()
