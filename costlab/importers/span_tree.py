"""Spans of one run as a tree, and which of their figures are the run's.

An aggregate (an agent's span, a call around a call) repeats what the calls under it used, so its figures never add
to theirs; they stand in only where nothing under it has any. One answer, by its id, counts once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from costlab.runs import ModelCall, ToolCall
from costlab.usage import Counts, Number, UsageWarning, add

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """One span in neutral words. `kind`: agent, call, tool, step or other; `counts` are inclusive, of any kind."""

    span_id: str
    kind: str
    name: str = ""
    parent_id: str | None = None
    order: int = 0  # place in the file: decides where times are equal or unknown
    started_at: datetime | None = None
    ended_at: datetime | None = None
    error: str | None = None
    counts: Counts = field(default_factory=dict)
    call: ModelCall | None = None
    tool: ToolCall | None = None
    step_number: int | None = None
    max_steps: int | None = None
    task: str = ""
    answer: str | None = None
    repeats: bool = True  # a call around calls repeats them, unless the format knows better


@dataclass(frozen=True, slots=True)
class Traced:
    """A run's spans as a tree: children in order of time, and which spans count."""

    spans: dict[str, Span]
    children: dict[str | None, list[str]]
    counted: frozenset[str]  # span ids whose counts are the run's
    merged: int
    warnings: tuple[UsageWarning, ...]

    def parent(self, span_id: str) -> str | None:
        """Return the parent's id, None for a root or where the parent is not in the file."""
        above = self.spans[span_id].parent_id
        return above if above in self.spans and above != span_id else None

    def up(self, span_id: str) -> Iterable[str]:
        """Yield the ids of all ancestors, nearest first."""
        at = self.parent(span_id)
        while at is not None:
            yield at
            at = self.parent(at)

    def under(self, span_id: str) -> Iterable[str]:
        """Yield the ids of all descendants, depth first."""
        stack = list(reversed(self.children.get(span_id, [])))
        while stack:
            at = stack.pop()
            yield at
            stack.extend(reversed(self.children.get(at, [])))


def when(span: Span) -> tuple[datetime, int]:
    """Return what spans are ordered by: their start, then their place in the file."""
    return (span.started_at or _LONG_AGO, span.order)


def traced(spans: Sequence[Span]) -> Traced:
    """Return the tree of spans of one run; a span on several records and a call with one id twice count once."""
    known, merged = _once(spans)
    known = _without_loops(known)
    children: dict[str | None, list[str]] = {}
    for span in sorted(known.values(), key=when):
        above = span.parent_id if span.parent_id in known else None
        children.setdefault(above, []).append(span.span_id)
    tree = Traced(known, children, frozenset(), merged, ())
    counted, repeated, warnings = _counted(tree)
    return replace(tree, counted=counted, merged=merged + repeated, warnings=warnings)


def _once(spans: Sequence[Span]) -> tuple[dict[str, Span], int]:
    """Keep one record of each span: the one that ended, else the later one."""
    known: dict[str, Span] = {}
    for span in spans:
        before = known.get(span.span_id)
        if before is None or before.ended_at is None or (span.ended_at or _LONG_AGO) >= before.ended_at:
            known[span.span_id] = span
    return known, len(spans) - len(known)


def _without_loops(known: dict[str, Span]) -> dict[str, Span]:
    """Cut the parent link that closes a ring: broken files have them, and a tree must not."""
    safe: set[str] = set()
    sound = dict(known)
    for span_id in known:
        path: set[str] = set()
        at: str | None = span_id
        while at is not None and at in sound and at not in safe:
            if at in path:
                sound[at] = replace(sound[at], parent_id=None)
                break
            path.add(at)
            at = sound[at].parent_id
        safe.update(path)
    return sound


def _used(counts: Counts) -> bool:
    return any(counts.values())


@dataclass(slots=True)
class _Tally:
    """What counts, while a tree is gone through from its deepest spans up."""

    counted: set[str] = field(default_factory=set)
    below: dict[str, list[tuple[Counts, bool]]] = field(default_factory=dict)  # figures under a span, and if apart
    seen: dict[str, Span] = field(default_factory=dict)  # by the id of the answer
    merged: int = 0
    warnings: list[UsageWarning] = field(default_factory=list)


def _counted(tree: Traced) -> tuple[frozenset[str], int, tuple[UsageWarning, ...]]:
    """Return which spans' counts are the run's, how many calls were repeats, and what to say about the rest.

    Children are decided before their parents, so that a wrapper sees whether anything under it counts. What a tool or
    an agent under a call used is apart from it: only calls in between repeat it.
    """
    tally = _Tally()
    for span_id in _deepest_first(tree):
        span = tree.spans[span_id]
        under = [one for child in tree.children.get(span_id, []) for one in tally.below.pop(child)]
        if _is_own(tree, tally, span, under) and not _is_repeat(tally, span):
            tally.counted.add(span_id)
            under += [(span.counts, False)] if _used(span.counts) else []
        apart = span.kind in ("tool", "agent")
        tally.below[span_id] = [(counts, apart or before) for counts, before in under]
    return frozenset(tally.counted), tally.merged, tuple(tally.warnings)


def _is_own(tree: Traced, tally: _Tally, span: Span, under: list[tuple[Counts, bool]]) -> bool:
    """Decide whether a span's figures are its own, given what counts under it."""
    if span.kind != "call":
        if under:
            tally.warnings += _missing(span, [counts for counts, _ in under])
        elif _used(span.counts):
            tally.warnings.append(UsageWarning("totals_only", span.name or span.span_id, "no call under it has usage"))
            return True
        return False
    if any(not apart for _, apart in under):
        if span.repeats:
            tally.merged += 1
            return False
        tally.warnings.append(_nested(span))
    elif _used(span.counts):  # the same call seen again, by somebody who did not see its usage
        silent = {one for one in _between(tree, span.span_id) if one in tally.counted and _silent(tree.spans[one])}
        tally.counted -= silent
        tally.merged += len(silent)
    return True


def _is_repeat(tally: _Tally, span: Span) -> bool:
    """Whether an answer was counted before, by its id. Of two views of one answer the fuller one counts."""
    if not _used(span.counts) or span.call is None or not span.call.origin:
        return False
    before = tally.seen.setdefault(span.call.origin, span)
    if before is span:
        return False
    tally.merged += 1
    if _total(before) != _total(span):
        told = f"one answer with {_total(before)} and with {_total(span)} tokens: counted once, with the more"
        tally.warnings.append(UsageWarning("answer_differs", span.call.origin, told))
    if (_total(span), len(span.counts)) <= (_total(before), len(before.counts)):
        return True
    tally.seen[span.call.origin] = span
    tally.counted.discard(before.span_id)
    return False


def _total(span: Span) -> Number:
    return span.counts.get("input_tokens", 0) + span.counts.get("output_tokens", 0)


def _between(tree: Traced, span_id: str) -> Iterable[str]:
    """Yield the descendants of a span that no tool or agent stands in between."""
    stack = list(tree.children.get(span_id, []))
    while stack:
        at = stack.pop()
        if tree.spans[at].kind not in ("tool", "agent"):
            yield at
            stack.extend(tree.children.get(at, []))


def _silent(span: Span) -> bool:
    return span.call is not None and span.call.status == "ok" and not _used(span.counts)


def _nested(span: Span) -> UsageWarning:
    figures = ", ".join(f"{key} {value}" for key, value in span.counts.items())
    return UsageWarning("nested_generation", span.name, f"it holds calls with other figures; counted too: {figures}")


def _missing(span: Span, under: list[Counts]) -> list[UsageWarning]:
    """An agent that says more than its calls: some of its calls were not traced. One that says less is no sum."""
    total = add(under)
    if span.kind != "agent" or any(span.counts.get(k, 0) < total.get(k, 0) for k in ("input_tokens", "output_tokens")):
        return []
    short = [k for k in ("input_tokens", "output_tokens") if span.counts.get(k, 0) > total.get(k, 0)]
    text = "{} states {}, its calls sum to {}"
    return [
        UsageWarning("calls_missing", key, text.format(span.name, span.counts[key], total.get(key, 0))) for key in short
    ]


def _deepest_first(tree: Traced) -> list[str]:
    order: list[str] = []
    stack = list(tree.children.get(None, []))
    while stack:
        at = stack.pop()
        order.append(at)
        stack.extend(tree.children.get(at, []))
    return order[::-1]
