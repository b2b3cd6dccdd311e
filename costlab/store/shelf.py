"""The recordings of a home and those shipped with CostLab: listed, opened, added, amended, deleted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from costlab.errors import BadInput, CostLabError, NotFound
from costlab.files import home as home_folder
from costlab.files import locked, parse_json, read_bounded, shipped, write_all
from costlab.runs import Run
from costlab.store.log import MAX_BYTES, encoded, read
from costlab.store.record import dumps

_WINDOWS_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)")


def file_name(run_id: str) -> str:
    """Return a file name for a run id: no id can leave its folder, and no two share a name on any file system."""
    safe = re.sub(r"[^a-z0-9._-]", "_", run_id.lower())[:80].lstrip(".") or "run"
    if safe == run_id and not _WINDOWS_DEVICES.match(safe):
        return f"{safe}.jsonl"
    return f"{safe}-{sha256(run_id.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}.jsonl".replace(".-", "_-")


class Store:
    """The recordings of a home and those shipped; a file is read again when its time or size changes."""

    def __init__(self, home: Path | None = None, builtin: Path | None = None) -> None:
        """Take the user's home (else COSTLAB_HOME, else the platform's) and the folder of shipped recordings."""
        self.folder = home_folder(home) / "runs"
        self.shipped = builtin if builtin is not None else shipped("recordings")
        self.broken: tuple[BadInput, ...] = ()  # files that the last listing could not read, and why
        self._seen: dict[Path, tuple[tuple[int, int], Run]] = {}

    def runs(self) -> tuple[Run, ...]:
        """Return all runs, shipped ones first; what another run already holds is marked. See `broken` for the rest."""
        return tuple(inherited(run for _, run in self._files().values()))

    def _files(self) -> dict[str, tuple[Path, Run]]:
        """Return path and run by run id: shipped ones that the user has not replaced, then the user's."""
        problems: list[BadInput] = []
        ours = self._folder(self.shipped, problems)
        users = self._folder(self.folder, problems)
        self.broken = tuple(problems)
        return {**{name: found for name, found in ours.items() if name not in users}, **users}

    def _folder(self, folder: Path, problems: list[BadInput]) -> dict[str, tuple[Path, Run]]:
        found = {}
        for path in sorted(folder.glob("*.jsonl")):
            try:
                run = self._read(path)
            except FileNotFoundError:
                continue  # deleted by somebody since it was listed
            except BadInput as problem:
                problems.append(problem)
                continue
            found[run.run_id] = (path, run)
        return found

    def _read(self, path: Path) -> Run:
        stat = path.stat()
        stamp = (stat.st_mtime_ns, stat.st_size)
        known = self._seen.get(path)
        if known and known[0] == stamp and known[1].state != "running":  # its writer may have died since
            return known[1]
        run = read(path)
        self._seen[path] = (stamp, run)
        return run

    def stamp(self, run_id: str) -> str:
        """Return a text that changes when a run's recording does; raises NotFound."""
        found = self._files().get(run_id)
        if found is None:
            raise NotFound(f"there is no run {run_id!r}; `costlab runs` lists them")
        stat = found[0].stat()
        return f"{run_id}:{stat.st_mtime_ns}:{stat.st_size}"

    def open(self, run_id: str) -> Run:
        """Return one run; raises NotFound."""
        for run in self.runs():
            if run.run_id == run_id:
                return run
        raise NotFound(f"there is no run {run_id!r}; `costlab runs` lists them")

    def builtin(self, run_id: str) -> bool:
        """Return whether a run is shipped with CostLab and not replaced by the user's."""
        found = self._files().get(run_id)
        return found is not None and found[0].parent == self.shipped

    def _place(self, run_id: str) -> Path:
        """Return the user's file for a run: the one that holds it, else a new name."""
        found = self._files().get(run_id)
        return found[0] if found is not None and found[0].parent == self.folder else self.folder / file_name(run_id)

    def add(self, runs: Iterable[Run]) -> None:
        """Save runs; one that has the id of another replaces it. Raises BadInput, and then none of them is saved."""
        ready = {run.run_id: encoded(run) for run in runs}
        with locked(self.folder / ".lock"):
            for rest in self.folder.glob(".*.tmp"):  # of a process killed while it held this lock
                rest.unlink(missing_ok=True)
            write_all({self._place(run_id): data for run_id, data in ready.items()})

    def delete(self, run_id: str) -> None:
        """Delete a run of the user's; raises NotFound, or CostLabError for a shipped one."""
        with locked(self.folder / ".lock"):
            found = self._files().get(run_id)
            if found is None:
                raise NotFound(f"there is no run {run_id!r}")
            if found[0].parent != self.folder:
                raise CostLabError(f"{run_id} is shipped with CostLab and cannot be deleted")
            found[0].unlink(missing_ok=True)

    def amend(self, run_id: str, *, correct: bool | None = None, title: str | None = None) -> None:
        """Add a later fact to a run: whether its answer was right, a title; None changes nothing. Raises NotFound.

        A shipped run is copied to the user's first. A live run's writer is not disturbed: one line is appended.
        """
        given = {k: v for k, v in {"correct": correct, "title": title}.items() if v is not None}
        line = dumps({"event": "amend", **given})
        with locked(self.folder / ".lock"):
            found = self._files().get(run_id)
            if found is None:
                raise NotFound(f"there is no run {run_id!r}; `costlab runs` lists them")
            path = found[0]
            data = b"" if path.parent == self.folder and _ends_whole(path) else read_bounded(path, MAX_BYTES)
            if data:
                write_all({self._place(run_id): _whole(data) + line})
            else:
                with path.open("ab", buffering=0) as out:
                    out.write(line)


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
