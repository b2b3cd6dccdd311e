"""The recordings of a home and those shipped with CostLab: listed, opened, added, amended, deleted."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from costlab.errors import BadInput, Conflict, CostLabError, NotFound
from costlab.files import home as home_folder
from costlab.files import locked, parse_json, read_bounded, shipped, write_all
from costlab.runs import Run
from costlab.store.log import MAX_BYTES, encoded, head, read
from costlab.store.record import dumps

_WINDOWS_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)")
_HASHED = re.compile(r"-[0-9a-f]{12}$")
_ORIGIN = re.compile(rb'"origin":\s*("(?:[^"\\]|\\.)*")')
_PATIENCE = 100  # looks at a line that its writer has not finished, 10 ms apart

Stamp = tuple[int, int]


def file_name(run_id: str) -> str:
    """Return a file name for a run id: no id can leave its folder, and no two share a name on any file system."""
    safe = re.sub(r"[^a-z0-9._-]", "_", run_id.lower())[:80].lstrip(".") or "run"
    device = _WINDOWS_DEVICES.match(safe)
    if safe == run_id and not device and not _HASHED.search(safe):
        return f"{safe}.jsonl"
    digest = sha256(run_id.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{'run-' if device else ''}{safe}-{digest}.jsonl"


class Store:
    """The recordings of a home and those shipped; a file is read again when its time or size changes."""

    def __init__(self, home: Path | None = None, builtin: Path | None = None) -> None:
        """Take the user's home (else COSTLAB_HOME, else the platform's) and the folder of shipped recordings."""
        self.folder = home_folder(home) / "runs"
        self.shipped = builtin if builtin is not None else shipped("recordings")
        self.broken: tuple[BadInput, ...] = ()  # files that the last listing could not read, and why
        self._seen: dict[Path, tuple[Stamp, Run]] = {}
        self._heads: dict[Path, tuple[Stamp, tuple[str, object] | None]] = {}

    def runs(self) -> tuple[Run, ...]:
        """Return all runs, shipped ones first; what another run already holds is marked. See `broken` for the rest."""
        problems: list[BadInput] = []
        ours = self._folder(self.shipped, problems)
        users = self._folder(self.folder, problems)
        self.broken = tuple(problems)
        return tuple(inherited([*(run for name, run in ours.items() if name not in users), *users.values()]))

    def _folder(self, folder: Path, problems: list[BadInput]) -> dict[str, Run]:
        found = {}
        for path in _files(folder):
            try:
                run = self._read(path)
            except FileNotFoundError:
                continue  # deleted by somebody since it was listed
            except OSError as problem:
                problems.append(BadInput(f"cannot be read: {problem.strerror or problem}", file=str(path)))
                continue
            except BadInput as problem:
                problems.append(problem)
                continue
            found[run.run_id] = run
        return found

    def _read(self, path: Path) -> Run:
        """Return a file's run; raises BadInput, and FileNotFoundError where it has gone."""
        stamp = _stamp(path)
        known = self._seen.get(path)
        if known and known[0] == stamp and known[1].state != "running":  # its writer may have died since
            return known[1]
        run = read(path)
        self._seen[path] = (stamp, run)
        return run

    def _head(self, path: Path) -> tuple[str, object] | None:
        """Return (run id, writer) by a file's first line alone, or None where it has none."""
        try:
            stamp = _stamp(path)
            if path not in self._heads or self._heads[path][0] != stamp:
                self._heads[path] = (stamp, head(path))
        except OSError:
            return None
        return self._heads[path][1]

    def _held(self, run_id: str, folder: Path) -> list[Path]:
        """Return the files of a folder that hold a run, by their first lines: the one that is shown comes last."""
        return [path for path in _files(folder) if (found := self._head(path)) and found[0] == run_id]

    def _where(self, run_id: str) -> Path:
        """Return the file that holds a run, the user's before a shipped one; raises NotFound."""
        found = self._held(run_id, self.folder) or self._held(run_id, self.shipped)
        if not found:
            raise NotFound(f"there is no run {run_id!r}; `costlab runs` lists them")
        return found[-1]

    def stamp(self, run_id: str) -> str:
        """Return a text that changes when a run's recording does; raises NotFound."""
        return ":".join(map(str, (run_id, *_stamp(self._where(run_id)))))

    def open(self, run_id: str) -> Run:
        """Return one run; raises NotFound, or BadInput where its file cannot be read."""
        run = self._opened(run_id)
        return next(one for one in inherited([run, *self._sharing(run)]) if one.run_id == run_id)

    def _opened(self, run_id: str) -> Run:
        try:
            return self._read(self._where(run_id))
        except FileNotFoundError:
            raise NotFound(f"run {run_id!r} was deleted just now") from None

    def _sharing(self, run: Run) -> Iterator[Run]:
        """Yield the other runs that hold a call of the same origin; only files that name such an origin are read."""
        wanted = {call.origin for call in run.calls if call.origin}
        ids = {name: path for folder in (self.shipped, self.folder) for name, path in self._named(folder)}
        for name, path in ids.items() if wanted else ():
            if name == run.run_id:
                continue
            try:
                if path in self._seen or wanted & _origins(read_bounded(path, MAX_BYTES)):
                    yield self._read(path)
            except (BadInput, FileNotFoundError):
                continue  # the listing names it

    def _named(self, folder: Path) -> Iterator[tuple[str, Path]]:
        yield from ((found[0], path) for path in _files(folder) if (found := self._head(path)))

    def own(self, run_id: str) -> Run | None:
        """Return the user's own recording of a run as it is written, or None where there is none that can be read."""
        held = self._held(run_id, self.folder)
        try:
            return self._read(held[-1]) if held else None
        except (BadInput, OSError):
            return None

    def builtin(self, run_id: str) -> bool:
        """Return whether a run is shipped with CostLab and not replaced by the user's."""
        return not self._held(run_id, self.folder) and bool(self._held(run_id, self.shipped))

    def _place(self, run_id: str) -> Path:
        """Return the user's file for a run: the one that holds it, else a new name; raises Conflict if it is live."""
        held = self._held(run_id, self.folder)
        if any(self._running(path) for path in held):
            raise Conflict(f"run {run_id!r} is being recorded now; wait until it has ended")
        return held[-1] if held else self.folder / file_name(run_id)

    def _running(self, path: Path) -> bool:
        found = self._head(path)
        try:
            return found is not None and found[1] is not None and self._read(path).state == "running"
        except (BadInput, FileNotFoundError):
            return False

    def add(self, runs: Iterable[Run]) -> None:
        """Save runs; one that has the id of another replaces it. Raises BadInput, and then none of them is saved."""
        ready = {run.run_id: encoded(run) for run in runs}
        with locked(self.folder / ".lock"):
            for rest in self.folder.glob(".*.tmp"):  # of a process killed while it held this lock
                rest.unlink(missing_ok=True)
            write_all({self._place(run_id): data for run_id, data in ready.items()})

    def delete(self, run_id: str) -> None:
        """Delete a run of the user's; raises NotFound, Conflict while it is recorded, CostLabError if it is shipped."""
        with locked(self.folder / ".lock"):
            self._where(run_id)
            held = self._held(run_id, self.folder)
            if not held:
                raise CostLabError(f"{run_id} is shipped with CostLab and cannot be deleted")
            self._place(run_id)
            try:
                for path in held:
                    path.unlink(missing_ok=True)
            except OSError as problem:
                raise CostLabError(f"cannot delete {path}: {problem.strerror or problem}") from problem

    def amend(self, run_id: str, *, correct: bool | None = None, title: str | None = None) -> None:
        """Add a later fact to a run: whether its answer was right, a title; None changes nothing. Raises NotFound.

        A shipped run is copied to the user's first. A live run's writer is not disturbed: one line is appended.
        """
        given = {k: v for k, v in {"correct": correct, "title": title}.items() if v is not None}
        line = dumps({"event": "amend", **given})
        with locked(self.folder / ".lock"):
            path = self._where(run_id)
            if path.parent != self.folder:
                write_all({self._place(run_id): _whole(read_bounded(path, MAX_BYTES)) + line})
            elif self._appendable(path):
                _append(path, line)
            else:
                write_all({path: _whole(read_bounded(path, MAX_BYTES)) + line})

    def _appendable(self, path: Path) -> bool:
        """Return whether a file's last line is whole; raises Conflict where its living writer does not finish it."""
        if _ends_whole(path):
            return True
        for _ in range(_PATIENCE if self._running(path) else 0):
            time.sleep(0.01)
            if _ends_whole(path):
                return True
        if self._running(path):  # a file put in its place would be lost to the writer
            raise Conflict(f"{path} is being written; try again")
        return False


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jsonl"))


def _stamp(path: Path) -> Stamp:
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size


def _origins(data: bytes) -> set[str]:
    """Return what stands in a file as an origin, more rather than less; text that is no JSON is none."""
    found = set()
    for written in set(_ORIGIN.findall(data)):
        try:
            found.add(json.loads(written))
        except ValueError:
            continue
    return found


def _append(path: Path, line: bytes) -> None:
    try:
        with path.open("ab", buffering=0) as out:
            out.write(line)
    except OSError as problem:
        raise CostLabError(f"cannot write {path}: {problem.strerror or problem}") from problem


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as source:
        source.seek(-1, 2)
        return source.read(1) == b"\n"


def _whole(data: bytes) -> bytes:
    """Return a recording's bytes without a torn last line, with a line end."""
    before, _, last = data.rpartition(b"\n")
    try:
        parse_json(last, file=None)
    except BadInput:
        return before + b"\n"
    return data + b"\n"


def inherited(runs: Iterable[Run]) -> list[Run]:
    """Mark calls whose origin another run holds: the parent, else the first by id; each origin has one owner."""
    every = list(runs)
    parents = {run.run_id: run.parent_run_id for run in every}
    holders: dict[str, set[str]] = {}
    for run in every:
        for call in run.calls:
            if call.origin:
                holders.setdefault(call.origin, set()).add(run.run_id)
    takes = {origin: _taken(held, parents) for origin, held in holders.items() if len(held) > 1}
    return [_marked(run, takes) for run in every]


def _taken(held: set[str], parents: dict[str, str | None]) -> dict[str, str]:
    """Return from whom each holder of one origin has it; its owner is not among the keys."""
    above = {one: parent for one in held if (parent := parents[one]) in held and parent is not None and parent != one}
    for start in sorted(held):  # runs that name each other as parents: the first of them by id is nobody's child
        seen, at = [start], start
        while (up := above.get(at)) is not None and up not in seen:
            seen.append(up)
            at = up
        if up is not None:
            above.pop(min(seen[seen.index(up) :]))
    owner = min(one for one in held if one not in above)
    return {one: above.get(one, owner) for one in held if one != owner}


def _marked(run: Run, takes: dict[str, dict[str, str]]) -> Run:
    if not any(call.origin in takes for call in run.calls):
        return run
    return replace(
        run,
        steps=tuple(
            replace(
                step,
                calls=tuple(
                    replace(c, inherited_from=takes.get(c.origin or "", {}).get(run.run_id)) for c in step.calls
                ),
            )
            for step in run.steps
        ),
    )
