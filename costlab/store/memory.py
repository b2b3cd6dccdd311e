"""Recordings that are in memory and nowhere else: one visitor's, on a server that several people use.

What is on disk lies under them and is only read. Adding, amending and deleting change this store alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import count
from pathlib import Path
from threading import Lock
from uuid import uuid4
from weakref import WeakSet

from costlab.errors import CostLabError, NotFound, TooLarge
from costlab.files import shipped
from costlab.runs import Run
from costlab.store.log import encoded, settled
from costlab.store.shelf import Store, inherited

MOST_RUNS = 200
MOST_BYTES = 64 * 2**20  # of their recordings, as they would be written
MOST_TOGETHER = 1024 * 2**20
_NOBODY = "home-of-nobody"  # a folder that is not there, in that of the shipped recordings


class Room:
    """How much all stores of one server hold together, so that many visitors do not fill its memory."""

    def __init__(self, most_bytes: int = MOST_TOGETHER) -> None:
        self.most_bytes = most_bytes
        self._lock = Lock()
        self._stores: WeakSet[MemoryStore] = WeakSet()  # a session that has ended frees its part

    def enter(self, store: MemoryStore) -> None:
        """Count what a store holds from now on."""
        with self._lock:
            self._stores.add(store)

    def held(self) -> int:
        """Return the bytes that all living stores hold."""
        with self._lock:
            return sum(store.size for store in self._stores)


class MemoryStore(Store):
    """A store whose own runs are in memory: the same questions and answers as `Store`, and nothing is written.

    `base` is what lies under it, read and never changed: by default the shipped recordings alone. Past `most_runs` or
    `most_bytes` nothing more is taken (TooLarge), nor past what `room` allows for all stores together.
    """

    def __init__(
        self,
        base: Store | None = None,
        *,
        most_runs: int = MOST_RUNS,
        most_bytes: int = MOST_BYTES,
        room: Room | None = None,
    ) -> None:
        self._base = base or shipped_only()
        self.most_runs, self.most_bytes = most_runs, most_bytes
        self.broken = ()  # files of the base are not the visitor's to mend
        self._mine: dict[str, tuple[Run, int, str]] = {}  # run, bytes, stamp
        self._gone: set[str] = set()  # runs of the base that were deleted here
        self._name, self._changes = uuid4().hex, count(1)
        self._room = room
        if room:
            room.enter(self)

    @property
    def size(self) -> int:
        """Return the bytes of the runs held here, as they would be written."""
        return sum(size for _, size, _ in list(self._mine.values()))

    def runs(self) -> tuple[Run, ...]:
        """Return all runs, the base's first; what another run already holds is marked."""
        below = (run for run in self._base.runs() if run.run_id not in self._gone and run.run_id not in self._mine)
        return tuple(inherited([*map(_unmarked, below), *(run for run, _, _ in self._mine.values())]))

    def open(self, run_id: str) -> Run:
        """Return one run; raises NotFound."""
        found = next((run for run in self.runs() if run.run_id == run_id), None)
        if found is None:
            raise _missing(run_id)
        return found

    def stamp(self, run_id: str) -> str:
        """Return a text that changes when a run does, and that no other store has; raises NotFound."""
        if run_id in self._mine:
            return self._mine[run_id][2]
        if run_id in self._gone:
            raise _missing(run_id)
        return self._base.stamp(run_id)

    def own(self, run_id: str) -> Run | None:
        """Return the recording of a run that is not a shipped one, or None."""
        if run_id in self._mine:
            return self._mine[run_id][0]
        return None if run_id in self._gone else self._base.own(run_id)

    def builtin(self, run_id: str) -> bool:
        """Return whether a run is shipped with CostLab and not replaced here."""
        return run_id not in self._mine and run_id not in self._gone and self._base.builtin(run_id)

    def add(self, runs: Iterable[Run]) -> None:
        """Take runs; one that has the id of another replaces it. Raises BadInput and TooLarge, and then takes none."""
        ready = {run.run_id: self._record(run) for run in runs}
        after = {**self._mine, **ready}
        grown = sum(size for _, size, _ in after.values())
        if len(after) > self.most_runs:
            raise TooLarge(f"a session holds at most {self.most_runs} runs here; delete some first")
        if grown > self.most_bytes:
            raise TooLarge(f"a session holds at most {self.most_bytes:,} bytes of recordings here; delete some first")
        if self._room and self._room.held() - self.size + grown > self._room.most_bytes:
            raise TooLarge("this server holds as many recordings of its visitors as it can; try again later")
        self._mine = after
        self._gone -= ready.keys()

    def _record(self, run: Run) -> tuple[Run, int, str]:
        size = len(encoded(run))  # refuses what a file could not hold either
        return _unmarked(settled(run)), size, f"{self._name}:{next(self._changes)}"

    def delete(self, run_id: str) -> None:
        """Delete a run, here alone; raises NotFound, and CostLabError if it is shipped."""
        if self.builtin(run_id):
            raise CostLabError(f"{run_id} is shipped with CostLab and cannot be deleted")
        if self.own(run_id) is None:
            raise _missing(run_id)
        self._mine.pop(run_id, None)
        if self._base.own(run_id) is not None:
            self._gone.add(run_id)

    def amend(self, run_id: str, *, correct: bool | None = None, title: str | None = None) -> None:
        """Add a later fact to a run, here alone; None changes nothing. Raises NotFound and TooLarge."""
        given = {k: v for k, v in {"correct": correct, "title": title}.items() if v is not None}
        self.add([replace(self.open(run_id), **given)])  # type: ignore[arg-type]


def shipped_only(builtin: Path | None = None) -> Store:
    """Return a store of the shipped recordings without anybody's home."""
    return Store((builtin or shipped("recordings")) / _NOBODY, builtin)


def _missing(run_id: str) -> NotFound:
    return NotFound(f"there is no run {run_id!r}; it may have been another session's")


def _unmarked(run: Run) -> Run:
    """Return a run without marks of what others hold: here they may be others."""
    if not any(call.inherited_from for call in run.calls):
        return run
    steps = (replace(s, calls=tuple(replace(c, inherited_from=None) for c in s.calls)) for s in run.steps)
    return replace(run, steps=tuple(steps))
