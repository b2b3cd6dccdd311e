"""Limits of a run: the agent is stopped before the call that would pass one, or the stream that reaches it is cut.

Before a call its worst case is put aside: the prompt at a token for three bytes (or more, where this model has been
seen to need more) and the request's own `max_tokens`, at the dearest rate. Where a request sets no limit the call
cannot be known: it may start while something is left, and is cut when what it has received reaches the limit;
`strict` takes the model's own output limit instead. What is put aside is given back when the call has ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from threading import RLock, Timer

from costlab.errors import BadInput
from costlab.live.halting import OverBudget

USD, TOKENS, CALLS, SECONDS = "USD", "tokens", "calls", "seconds"


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits: USD, tokens (input and output), model calls, seconds; None is no limit. Raises BadInput.

    `warn_at` are the shares of a limit that are told when passed. `strict`: a request without a limit of its own
    counts as the model's largest output. `allow_unpriced`: a model without a price may run under a budget in USD,
    and counts nothing.
    """

    usd: Decimal | None = None
    tokens: int | None = None
    calls: int | None = None
    seconds: float | None = None
    strict: bool = False
    warn_at: tuple[float, ...] = (0.5, 0.8, 0.95)
    allow_unpriced: bool = False

    def __post_init__(self) -> None:
        if self.usd is not None:  # as typed by a user it may be a number or a text
            object.__setattr__(self, "usd", exact_usd(self.usd))
        for name in ("usd", "tokens", "calls", "seconds"):
            limit = getattr(self, name)
            if limit is not None and (isinstance(limit, bool) or not limit > 0):
                raise BadInput(f"a budget must be more than 0, not {limit}", field=name)

    @property
    def limits(self) -> dict[str, Decimal]:
        """Return the limits that are set, by their word."""
        given = {USD: self.usd, TOKENS: self.tokens, CALLS: self.calls, SECONDS: self.seconds}
        return {word: Decimal(str(limit)) for word, limit in given.items() if limit is not None}


def exact_usd(given: object) -> Decimal:
    """Return an amount of USD as it was written; raises BadInput."""
    try:
        amount = Decimal(str(given))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise BadInput(f"a budget must be an amount of USD, not {given!r}"[:120], field="usd")
    return amount


@dataclass(frozen=True, slots=True)
class Need:
    """What a call uses at worst, or has used: USD and tokens."""

    usd: Decimal = Decimal(0)
    tokens: int = 0

    def __add__(self, other: Need) -> Need:
        return Need(self.usd + other.usd, self.tokens + other.tokens)

    def __sub__(self, other: Need) -> Need:
        return Need(self.usd - other.usd, self.tokens - other.tokens)


Later = Callable[[], Need]  # what a call has used, worked out when it is asked for


class Tally:
    """What calls have used in all; each is worked out when the sum is next asked for. Any thread may use it."""

    def __init__(self) -> None:
        self._sum, self._owed, self._lock = Need(), list[Later](), RLock()

    def add(self, used: Later) -> None:
        """Add what a call has used."""
        with self._lock:
            self._owed.append(used)

    @property
    def total(self) -> Need:
        """Return the sum of all."""
        with self._lock:
            while self._owed:
                self._sum = self._sum + self._owed.pop()()
            return self._sum


@dataclass(frozen=True, slots=True)
class Reserve:
    """What one call is put aside for: its prompt at worst, USD for one token of output, and its own limit if known."""

    prompt: Need
    usd_per_output: Decimal
    limit: int | None
    priced: bool = True

    def after(self, output: int) -> Need:
        """Return the need once so many tokens of output have come."""
        return self.prompt + Need(self.usd_per_output * output, output)

    @property
    def worst(self) -> Need:
        """Return the need at worst; of a call that cannot be known, its prompt's."""
        return self.after(self.limit or 0)


@dataclass(eq=False)
class Hold:
    """What is put aside for one call under way; `known`: nothing can make the call cost more."""

    need: Need
    known: bool = True
    lost: Need = field(default_factory=Need)  # tries before this one that may have been billed


@dataclass(frozen=True, slots=True)
class Alarm:
    """A share of a limit was passed: `spent` of `limit`, in the limit's own unit."""

    limit: str
    share: float
    spent: Decimal
    of: Decimal


class Purse:
    """What a budget still holds; one purse may be shared by any number of runs and threads."""

    def __init__(self, budget: Budget | None = None) -> None:
        self.budget = budget or Budget()
        self.calls = 0
        self._spent = Tally()
        self._held: list[Hold] = []
        self._lock = RLock()
        self._began: float | None = None
        self._timer: Timer | None = None
        self._told: set[tuple[str, float]] = set()
        self._expired = False
        self._late: list[Callable[[], None]] = []

    @property
    def spent(self) -> Need:
        """Return what was used in all."""
        return self._spent.total

    @property
    def bounded(self) -> bool:
        """Return whether a call may have to be cut: a limit in USD or tokens is set."""
        return self.budget.usd is not None or self.budget.tokens is not None

    @property
    def seconds(self) -> float:
        """Return the seconds since the first run began."""
        return time.monotonic() - self._began if self._began is not None else 0.0

    def begin(self, when_late: Callable[[], None]) -> None:
        """Start the clock with the first run; `when_late` is called when its time is up."""
        with self._lock:
            self._late.append(when_late)
            if self._began is None:
                self._began = time.monotonic()
            if self._timer is None and self.budget.seconds is not None:
                self._timer = Timer(max(0.0, self.budget.seconds - self.seconds), self._expire)
                self._timer.daemon = True
                self._timer.start()

    def end(self, when_late: Callable[[], None]) -> None:
        """Take back `begin`; the clock of the budget goes on."""
        with self._lock:
            self._late.remove(when_late)
            if not self._late and self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _expire(self) -> None:
        with self._lock:
            self._expired, late = True, tuple(self._late)
        for hook in late:
            hook()

    def used(self) -> dict[str, Decimal]:
        """Return what is spent, by the limits' words."""
        with self._lock:
            return {
                USD: self.spent.usd, TOKENS: Decimal(self.spent.tokens), CALLS: Decimal(self.calls),
                SECONDS: Decimal(str(round(self.seconds, 3))),
            }  # fmt: skip

    def left(self) -> dict[str, Decimal]:
        """Return what is left of each limit that is set, never less than 0."""
        used = self.used()
        return {word: max(Decimal(0), limit - used[word]) for word, limit in self.budget.limits.items()}

    def check(self) -> None:
        """Raise OverBudget where the time is up."""
        if self._expired or (self.budget.seconds is not None and self.seconds >= self.budget.seconds):
            raise OverBudget(SECONDS)

    def hold(self, need: Need, *, known: bool) -> Hold:
        """Put a call's worst case aside; raises OverBudget where a limit could be passed."""
        with self._lock:
            self.check()
            if self.budget.calls is not None and self.calls + 1 > self.budget.calls:
                raise OverBudget(CALLS)
            self._fits(need, known)
            self.calls += 1
            held = Hold(need, known)
            self._held.append(held)
            return held

    def _fits(self, need: Need, known: bool) -> None:
        """Raise OverBudget unless a need fits into what is left; a call that cannot be known needs something more."""
        if not self.bounded:
            return
        after = self.spent + self._aside() + need
        for word, have, limit in ((USD, after.usd, self.budget.usd), (TOKENS, after.tokens, self.budget.tokens)):
            if limit is not None and (have > limit if known else have >= limit):
                raise OverBudget(word)

    def _aside(self) -> Need:
        total = Need()
        for held in self._held:
            total = total + held.need + held.lost
        return total

    def again(self, held: Hold) -> None:
        """Put a call's worst case aside once more: its last try may have been billed. Raises OverBudget."""
        with self._lock:
            self._fits(held.need, held.known)
            held.lost = held.lost + held.need

    def grow(self, held: Hold, need: Need) -> None:
        """Say what a call under way has used by now; raises OverBudget where a limit is reached."""
        with self._lock:
            self.check()
            if held.known and need.usd <= held.need.usd and need.tokens <= held.need.tokens:
                return
            held.need = Need(max(need.usd, held.need.usd), max(need.tokens, held.need.tokens))
            after = self.spent + self._aside()
            for word, have, limit in ((USD, after.usd, self.budget.usd), (TOKENS, after.tokens, self.budget.tokens)):
                if limit is not None and have >= limit:
                    raise OverBudget(word)

    def settle(self, held: Hold, used: Later) -> tuple[Alarm, ...]:
        """Give back what was put aside and book what was used; return the shares of limits passed by it.

        Where there is no limit, what was used is worked out when somebody asks for what is spent.
        """
        with self._lock:
            if held not in self._held:
                return ()
            self._held.remove(held)
            self._spent.add(used)
            self._spent.add(lambda: held.lost)
            limits = self.budget.limits
            used_now, alarms = self.used() if limits else {}, []
            for word, limit in limits.items():
                for share in sorted(self.budget.warn_at):
                    if (word, share) not in self._told and used_now[word] >= limit * Decimal(str(share)):
                        self._told.add((word, share))
                        alarms.append(Alarm(word, share, used_now[word], limit))
            return tuple(alarms)
