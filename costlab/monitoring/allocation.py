"""Money per tool. No provider bills a tool's use of a model, so this is an allocation by a stated rule, not a figure.

The rule. Of a call whose messages were kept, the input money that belongs to tool results goes to the tools they came
from, however often they are sent again: by their share of the characters of all messages and tool definitions in the
request. What remains of the call, and the whole of a call without messages, goes in equal parts to the tool calls of
its step; in a step without tool calls it goes to no tool. The parts are rounded so that they sum to the total exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from costlab.cost import Cost
from costlab.monitoring.owned import Own
from costlab.runs import ModelCall, Run
from costlab.usage import unit

NO_TOOL = ""
_DECIMALS = 12  # of USD: what a part is rounded to, or finer where the total is
# Keys of a message under which no words stand: pixels, sound, and what a part is.
_NO_WORDS = {"image", "image_url", "input_audio", "source", "base64", "data", "file", "type", "role", "id"}
_RESULT_ROLES = {"tool", "tool-response", "function"}
_RESULT_STARTS = ("Observation:", "Call id:")  # smolagents sends results to most servers as the user's words

Shares = dict[str, Fraction]


@dataclass(frozen=True, slots=True)
class ToolMoney:
    """What one tool's use is taken to have cost in USD; `results` of it is for its results being sent. "": no tool."""

    tool: str
    usd: Decimal
    results: Decimal


@dataclass(frozen=True, slots=True)
class Allocation:
    """The parts of a total; they sum to it exactly. `by_messages` of `calls` were split by their kept messages."""

    total: Decimal
    parts: tuple[ToolMoney, ...]
    calls: int = 0
    by_messages: int = 0


@dataclass(slots=True)
class _Sums:
    """Exact shares of one pass over the runs."""

    steps: Shares = field(default_factory=dict)
    results: Shares = field(default_factory=dict)
    calls: int = 0
    by_messages: int = 0

    def give(self, to: Shares, money: Fraction, tools: Mapping[str, Fraction]) -> None:
        """Add money to tools by their shares of it; without tools it is nobody's."""
        for tool, share in (tools or {NO_TOOL: Fraction(1)}).items():
            to[tool] = to.get(tool, Fraction(0)) + money * share


def allocate(owned: Iterable[Own], total: Decimal) -> Allocation:
    """Return a total in USD as the money of each tool, dearest first; `total` is what the runs' own calls cost."""
    sums = _Sums()
    for own in owned:
        _run(own, sums)
    tools = list(dict.fromkeys([*sums.steps, *sums.results]))
    weights = [sums.steps.get(tool, Fraction(0)) for tool in tools] + [
        sums.results.get(tool, Fraction(0)) for tool in tools
    ]
    amounts = split(total, weights)
    of_steps, of_results = amounts[: len(tools)], amounts[len(tools) :]
    parts = [ToolMoney(t, exact_sum((a, b)), b) for t, a, b in zip(tools, of_steps, of_results, strict=True)]
    parts.sort(key=lambda one: (-one.usd, one.tool))
    return Allocation(total, tuple(parts), sums.calls, sums.by_messages)


def split(total: Decimal, weights: list[Fraction]) -> list[Decimal]:
    """Return a total in parts by weight that sum to it exactly: whole units of its last decimal, largest rests first.

    Without any weight the parts are 0.
    """
    whole = sum(weights, Fraction(0))
    if not whole:
        return [Decimal(0) for _ in weights]
    decimals = max(_DECIMALS, -int(total.as_tuple().exponent))
    units = int(Fraction(total) * 10**decimals)
    wanted = [units * weight / whole for weight in weights]
    given = [int(one) for one in wanted]
    order = sorted(range(len(weights)), key=lambda place: (given[place] - wanted[place], place))
    for place in order[: units - sum(given)]:
        given[place] += 1
    return [Decimal(f"{one}E-{decimals}") for one in given]


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """Return a sum in which no digit is lost, however many there are."""
    total, decimals = Fraction(0), 0
    for one in amounts:
        total, decimals = total + Fraction(one), max(decimals, -int(one.as_tuple().exponent))
    return Decimal(f"{int(total * 10**decimals)}E-{decimals}") if decimals else Decimal(int(total))


def _run(own: Own, sums: _Sums) -> None:
    owners: dict[str, Mapping[str, Fraction]] = {}  # message -> the tools whose result it is
    named = {tool.tool_id: tool.name for tool in own.run.tool_calls if tool.tool_id}
    before: dict[str, Mapping[str, Fraction]] = {}  # agent -> the tools of its last step that had any
    for step in own.steps:
        tools = _shares([tool.name for tool in step.tools])
        for call, cost in step.calls:
            for sha in call.messages:
                if sha not in owners and sha in own.run.contents:
                    value = own.run.contents[sha].value
                    owners[sha] = _owner(value, named, before.get(step.step.agent, {}))
            _call(own.run, call, cost, (tools, owners), sums)
        if step.tools:
            before[step.step.agent] = tools


def _call(
    run: Run,
    call: ModelCall,
    cost: Cost,
    known: tuple[Mapping[str, Fraction], Mapping[str, Mapping[str, Fraction]]],
    sums: _Sums,
) -> None:
    tools, owners = known
    rest = sum((Fraction(line.amount) for line in cost.lines), Fraction(0))
    sums.calls += 1
    sent = [*call.messages, *call.tools]
    if call.messages and all(sha in run.contents for sha in sent):
        sums.by_messages += 1
        sizes = {sha: _characters(run.contents[sha].value) for sha in set(sent)}
        whole = sum(sizes[sha] for sha in sent)
        paid = sum((Fraction(x.amount) for x in cost.lines if unit(x.unit).direction == "input"), Fraction(0))
        for sha in call.messages if whole else ():
            if owners.get(sha):
                money = paid * sizes[sha] / whole
                sums.give(sums.results, money, owners[sha])
                rest -= money
    sums.give(sums.steps, rest, tools)


def _shares(names: list[str]) -> Mapping[str, Fraction]:
    return {name: Fraction(names.count(name), len(names)) for name in dict.fromkeys(names)}


def _owner(value: object, named: Mapping[str, str], before: Mapping[str, Fraction]) -> Mapping[str, Fraction]:
    """Return the tools whose results a message is: by the ids it answers, else those of the agent's step before."""
    if not isinstance(value, Mapping) or value.get("role") in ("assistant", "system"):
        return {}
    parts = value.get("content")
    parts = [part for part in parts if isinstance(part, Mapping)] if isinstance(parts, list) else []
    answered = [value.get("tool_call_id"), *(part.get("tool_use_id") for part in parts)]
    names = [named[one] for one in answered if isinstance(one, str) and one in named]
    if names:
        return _shares(names)
    first = next(iter(_texts(value.get("content"))), "").lstrip()
    is_result = value.get("role") in _RESULT_ROLES or first.startswith(_RESULT_STARTS)
    return before if is_result else {}


def _characters(value: object) -> int:
    """Return how many characters of a message or a tool definition are text."""
    return sum(len(text) for text in _texts(value))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in _NO_WORDS:
                yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
