"""A run as it is recorded: agents, steps and calls as they happen, each event one write."""

from __future__ import annotations

import secrets as chance
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import Any

from costlab.errors import CostLabError
from costlab.live.asking import Asked, Keeper, Kept, Picture
from costlab.live.budget import Hold, Need, Purse, Reserve, Tally
from costlab.live.calling import OpenCall
from costlab.live.halting import Halt, Stop, Stopped
from costlab.live.metering import Meter
from costlab.live.reconciling import MonitorCheck, monitor_total, reconcile
from costlab.live.wire import Trip
from costlab.runs import AgentNode, ModelCall, Run, Step, ToolCall
from costlab.store import RecordingWriter, file_name
from costlab.usage import UsageWarning

_LONGEST = 20_000  # characters of an answer
_LONGEST_ERROR = 500
_UNSEEN = {
    "media_counted": False,
    "media_note": "The model was not shown the pictures that stand with the calls: no recorded count holds them, and "
    "each model's own formula computes their tokens.",
}


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened in a run, as it is told to who watches: `what` is the record itself.

    `kind`: run (a Run), agent (AgentNode), step_open (Step), call_open, call (ModelCall), tool (ToolCall),
    step (Step, ended), warning (UsageWarning), end (the run's state). `spent` is what the run
    has used so far, in USD and tokens.
    """

    kind: str
    what: Any
    run_id: str
    path: Path
    step: Step | None = None
    spent: Need = field(default_factory=Need)


@dataclass(frozen=True)
class Settings:
    """What all runs of one track share."""

    folder: Path
    meter: Meter
    purse: Purse
    stop: Stop
    secrets: tuple[str, ...] = ()
    watch: Callable[[Happening], None] | None = None
    title: str | None = None
    meta: Mapping[str, object] = field(default_factory=dict)
    source: Mapping[str, str] = field(default_factory=dict)
    unseen: tuple[Picture, ...] = ()  # they belong to each call, and its model is not shown them


@dataclass(eq=False)
class Node:
    """One run of one agent inside a recorded run."""

    recorder: Recorder
    record: AgentNode
    agent: Any
    actions: int = 0
    at_limit: bool = False
    answer: object = None
    step: Step | None = None  # the one under way
    steps_began: dict[str, float] = field(default_factory=dict)
    monitor: tuple[int, int] = (0, 0)  # what its monitor said when it began
    check: MonitorCheck | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where code stands: in which agent's run, in which step of it."""

    node: Node
    step: Step | None = None


class Recorder:
    """Writes one run as it happens. Any thread may call it; what cannot be written ends no run, and is told."""

    def __init__(self, settings: Settings, agent: Any, task: str, run_id: str | None = None) -> None:
        self.settings, self.meter, self.purse, self.stop = settings, settings.meter, settings.purse, settings.stop
        self.keeper = Keeper(settings.secrets)
        self._lock, self._numbers = RLock(), {"call": 0, "node": 0, "tool": 0, "step": 0}
        self.open_calls: set[OpenCall] = set()
        self.nodes: list[Node] = []
        self.calls: list[tuple[Node, Step, ModelCall]] = []
        self.halted: Halt | None = None
        self.ended, self.problems = False, list[str]()
        self._spent = Tally()
        self._began = time.perf_counter()
        moment, meta = datetime.now(UTC), {**settings.meta, **(_UNSEEN if settings.unseen else {})}
        self.run = Run(
            run_id=run_id or f"{moment:%Y%m%d-%H%M%S}-{chance.token_hex(4)}", task=self.clean(task),
            agent=type(agent).__name__, started_at=moment, state="running",
            title=settings.title and self.clean(settings.title), source=dict(settings.source), meta=self.clean(meta),
        )  # fmt: skip
        self.path = settings.folder / file_name(self.run.run_id)
        self.writer = RecordingWriter(self.path, self.run)
        self.stop.on_press(self.cut)
        self.purse.begin(self.cut)
        self.tell("run", self.run)

    @property
    def spent(self) -> Need:
        """Return what the run has used so far."""
        return self._spent.total

    def clean(self, value: Any) -> Any:
        """Return a value as JSON values, without any key."""
        return self.keeper.clean(value)

    def next(self, kind: str) -> int:
        """Return the next number of a kind."""
        with self._lock:
            self._numbers[kind] += 1
            return self._numbers[kind]

    def next_call(self) -> str:
        """Return the next call's id."""
        return f"c{self.next('call')}"

    def tell(self, kind: str, what: object, step: Step | None = None) -> None:
        """Tell who watches; what goes wrong there is no matter of the run's."""
        if self.settings.watch is not None:
            with suppress(Exception):
                self.settings.watch(Happening(kind, what, self.run.run_id, self.path, step, self.spent))

    def _write(self, event: Callable[[], object]) -> None:
        try:
            event()
        except CostLabError as problem:
            with self._lock:
                self.problems.append(str(problem))

    # agents and steps

    def enter(self, agent: Any, parent: Place | None) -> Node:
        """Note that an agent begins."""
        name = getattr(agent, "name", None) or type(agent).__name__
        model = getattr(getattr(agent, "model", None), "model_id", None)
        above = parent.node.record.node if parent else None
        at_step = parent.step.step_id if parent and parent.step else None
        record = AgentNode(
            f"a{self.next('node')}", self.clean(str(name)), above, at_step, self.clean(model) if model else None
        )
        node = Node(self, record, agent, monitor=monitor_total(agent))
        self.nodes.append(node)
        self._write(lambda: self.writer.agent(record))
        self.tell("agent", record)
        return node

    def left(self, node: Node) -> None:
        """Note that an agent's run has ended: its monitor is read now, since its next run resets it."""
        now = monitor_total(node.agent)
        monitor = (now[0] - node.monitor[0], now[1] - node.monitor[1])
        own = [(step, call) for at_node, step, call in tuple(self.calls) if at_node is node]
        node.check = reconcile(node.record.node, node.record.name, monitor, own)

    def open_step(self, node: Node, kind: str) -> Step:
        """Note that a step of an agent begins; what was open of it is closed."""
        self.close_step(node)
        number = node.actions + 1
        if kind != "planning":
            node.actions = number
        step = Step(
            f"s{self.next('step')}", number, kind, node.record.node, node.record.parent_step,
            started_at=datetime.now(UTC),
        )  # fmt: skip
        node.step = step
        node.steps_began[step.step_id] = time.perf_counter()
        self._write(lambda: self.writer.step_open(step))
        self.tell("step_open", step, step)
        return step

    def close_step(self, node: Node, error: object = None) -> None:
        """Note that the open step of an agent has ended."""
        step, node.step = node.step, None
        if step is None:
            return
        text = self.clean(str(error))[:_LONGEST_ERROR] if error is not None else None
        spent = round(time.perf_counter() - node.steps_began.pop(step.step_id), 6)
        ended = replace(step, error=text, duration_s=spent)
        self._write(lambda: self.writer.step(step.step_id, error=text, duration_s=spent))
        self.tell("step", ended, ended)

    def step_at(self, place: Place) -> Step:
        """Return the step that a call or tool belongs to; outside of any, the agent's open one or one of its own."""
        return place.step or place.node.step or self.open_step(place.node, "action")

    def tool(self, place: Place, tool: ToolCall) -> None:
        """Note a finished tool call."""
        step = self.step_at(place)
        asked = next((c.call_id for _, s, c in reversed(self.calls) if s.step_id == step.step_id), None)
        error = self.clean(tool.error)[:_LONGEST_ERROR] if tool.error else None
        tool = replace(tool, tool_id=f"t{self.next('tool')}", call_id=asked, error=error)
        self._write(lambda: self.writer.tool(step.step_id, tool))
        self.tell("tool", tool, step)

    # calls

    def check(self) -> None:
        """Raise Halt where the run has to end."""
        if self.halted is None and self.stop.requested:
            self.halted = Stopped()
        if self.halted is not None:
            raise self.halted.fresh()
        self._halting(self.purse.check)

    def _halting(self, act: Callable[[], Any]) -> Any:
        """Do something that may halt the run, and keep it halted if it does."""
        try:
            return act()
        except Halt as halt:
            self.halted = halt
            raise

    def hold(self, reserve: Reserve) -> Hold:
        """Put a call's worst case aside; raises OverBudget where it does not fit."""
        return self._halting(lambda: self.purse.hold(reserve.worst, known=reserve.limit is not None))  # type: ignore[no-any-return]

    def again(self, held: Hold) -> None:
        """Put a call's worst case aside once more, since its last try may have been billed; raises OverBudget."""
        self._halting(lambda: self.purse.again(held))

    def grow(self, call: OpenCall, output: int) -> None:
        """Book what a stream has brought so far; raises OverBudget where it has reached the budget."""
        if call.hold is not None and call.reserve is not None:
            held, need = call.hold, call.reserve.after(output)
            self._halting(lambda: self.purse.grow(held, need))

    def opened(self, call: OpenCall, source: object, asked: Asked) -> ModelCall:
        """Return a call as it is known before it is sent; its messages are stored."""
        provider, model = self.meter.who(source, asked.model)
        self.open_calls.add(call)
        media = tuple(
            replace(p.media, sha256=self._keep(p.content, "image")) if p.content else p.media
            for p in (*asked.pictures, *self.settings.unseen)
        )
        return ModelCall(
            call.call_id, provider, model, {}, usage_basis="unknown", request_model=asked.model,
            requested_tier=asked.tier, started_at=call.at, status="running",
            messages=tuple([m.sha256 or self._stored(m, "message") for m in asked.messages]),
            tools=tuple([t.sha256 or self._stored(t, "tool") for t in asked.tools]), tool_choice=asked.tool_choice,
            max_tokens=asked.max_tokens, stop=asked.stop, media=media,
        )  # fmt: skip

    def _stored(self, kept: Kept, kind: str) -> str:
        """Return the hash of a message or tool definition, which is written when it comes for the first time."""
        kept.sha256 = self._keep(kept.value, kind)
        return kept.sha256

    def _keep(self, value: object, kind: str) -> str:
        try:
            return self.writer.content(value, kind)
        except CostLabError as problem:
            self.problems.append(str(problem))
            return ""

    def began(self, call: OpenCall) -> None:
        """Write a call that is about to be sent."""
        opened, step = call.opened, self.step_at(call.place)
        assert opened is not None
        call.place = Place(call.place.node, step)
        self._write(lambda: self.writer.call_open(step.step_id, opened))
        self.tell("call_open", opened, step)

    def tried(self, call: OpenCall, trip: Trip) -> None:
        """Write one try of an open call."""
        self._write(lambda: self.writer.attempt(call.call_id, trip.attempt()))

    def finished(self, call: OpenCall, message: Any, error: BaseException | None) -> None:
        """Write how a call ended, book it, and say what it passed."""
        self.open_calls.discard(call)
        if not call.exchanges or call.opened is None:
            if call.hold is not None:
                self.purse.settle(call.hold, Need)
            return  # it was refused before it was sent
        told = self.clean(f"{type(error).__name__}: {error}")[:_LONGEST_ERROR] if error is not None else None
        output = self._keep(self.clean(call.output), "output") if call.output is not None else ""
        kept = {"error": told, "output": (output,) if output else (), "attempts": call.attempts()}
        done = self.meter.finished(call, message, error, **kept)
        step = self.step_at(call.place)
        used = self.meter.booked(call, done)
        self.meter.learn(call, done)
        with self._lock:
            self.calls.append((call.place.node, step, done))
        self._spent.add(used)
        self._write(lambda: self.writer.call(step.step_id, done))
        self.tell("call", done, step)
        for alarm in self.purse.settle(call.hold, used) if call.hold is not None else ():
            share = f"{alarm.share:.0%} of {alarm.of} {alarm.limit} is used: {alarm.spent:.6g}"
            self.tell("warning", UsageWarning("budget", alarm.limit, share))

    # the end

    def cut(self) -> None:
        """End the run at once, from any thread: every agent is interrupted, every open connection cut."""
        with suppress(Halt):
            self.check()
        for node in tuple(self.nodes):
            with suppress(Exception):
                node.agent.interrupt()
        for call in tuple(self.open_calls):
            call.cut()

    def end(
        self, state: str, answer: object, warnings: tuple[UsageWarning, ...] = (), correct: bool | None = None
    ) -> None:
        """Write the run's end, once."""
        with self._lock:
            if self.ended:
                return
            self.ended = True
        for call in tuple(self.open_calls):
            call.end(error=self.halted or Stopped())
        for node in self.nodes:
            self.close_step(node)
        text = self.clean(str(answer))[:_LONGEST] if answer is not None else None
        spent = round(time.perf_counter() - self._began, 6)
        self.stop.forget(self.cut)
        self.purse.end(self.cut)
        if correct is not None:
            self._write(lambda: self.writer.amend(correct=correct))
        self._write(lambda: self.writer.end(state, duration_s=spent, answer=text, warnings=warnings))
        self._write(self.writer.close)
        self.tell("end", state)
