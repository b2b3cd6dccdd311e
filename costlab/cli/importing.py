"""`import`: recordings of other tools into the store, from files, folders, and known session folders."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import costlab as cl
from costlab.cli import mapping, shapes
from costlab.cli.output import WrongUse, agreed, number_of, os_problem, plain, problem, say, show_json, table


def add(commands: Any, common: ArgumentParser, dated: ArgumentParser) -> None:
    """Add `import` to the parser of commands."""
    imports = commands.add_parser("import", parents=[common, dated], help="read recordings into the store")
    imports.add_argument("paths", nargs="*", metavar="PATH", help="a file, or a folder of them")
    imports.add_argument("--format", dest="form", help="read files as this format, instead of by their content")
    imports.add_argument(
        "--found",
        action="store_true",
        help="list session folders of known tools on this machine; asks before reading",
    )
    imports.add_argument("--yes", action="store_true", help="with --found: read without asking")
    mapping.add(imports)
    imports.set_defaults(run=import_)


def import_(o: Namespace) -> int:
    """`import`: each file is read whole or refused whole, with a reason; in a folder, other files are passed over."""
    if o.form is not None and o.form not in cl.formats():
        raise WrongUse(f"no format is named {o.form!r}; known: {', '.join(cl.formats())}")
    if bool(o.paths) == o.found:
        raise WrongUse("import needs a PATH, or --found" if not o.found else "import takes a PATH or --found, not both")
    if o.yes and not o.found:
        raise WrongUse("--yes belongs to --found")
    return _import_found(o) if o.found else _import_paths(o)


def _import_paths(o: Namespace) -> int:
    reading, failed = _Reading(o), False
    for given in o.paths:
        inside = Path(given).is_dir()
        some = reading.take(cl.files_in(given), inside=inside)
        if inside and not some:
            failed = True
            problem(f"{given}: no recording in this folder")
    if o.json:
        show_json(reading.answers)
    return 1 if failed or reading.failed else 0


class _Reading:
    """Reads files into the store one by one and keeps what became of each."""

    def __init__(self, o: Namespace) -> None:
        self.o, self.now, self.store = o, datetime.now(UTC), cl.Store(Path(o.home) if o.home else None)
        self.table = cl.load_table(o.pricing, o.home)
        self.answers: list[shapes.Json] = []
        self.failed = False

    def take(self, files: Iterable[Path], *, inside: bool) -> bool:
        """Read files, those of a folder (`inside`) with leave to hold no recording; returns whether one held any."""
        some = False
        for path in files:
            found, error = self._read(path)
            passed = inside and isinstance(error, cl.NoRecording)
            self.failed = self.failed or (error is not None and not passed)
            some = some or found is not None
            self._note(path, found, f"passed over: {error}" if passed else str(error) if error else None)
            if not self.o.json and found is not None:
                print(plain(f"{path}: {number_of(len(found.runs), 'run')}, {found.format}"))
            elif error is not None and not (self.o.json and passed):
                problem(_at(path, error) if not passed else f"{path}: passed over, {_told(error)}")
        return some

    def _read(self, path: Path) -> tuple[cl.Imported | None, Exception | None]:
        try:
            columns = mapping.mapping(path, self.o)
            return cl.import_file(path, format=self.o.form, store=self.store, mapping=columns), None
        except cl.BadInput as error:
            return None, mapping.hinted(error)
        except (cl.CostLabError, OSError) as error:
            return None, error

    def _note(self, path: Path, found: cl.Imported | None, error: str | None) -> None:
        answer: shapes.Json = {"path": str(path), "format": None, "runs": [], "merged_records": 0, "error": error}
        if found is not None:
            o, at = self.o, (self.table, self.o.at, self.now)
            runs = [shapes.run_summary(run, *at, o.pricing) for run in found.runs]
            answer |= {"format": found.format, "runs": runs, "merged_records": found.merged_records}
        self.answers.append(answer)


def _told(error: Exception) -> str:
    return error.problem if isinstance(error, cl.BadInput) else str(error)


def _at(path: Path, error: Exception) -> str:
    """Return why a file was refused, with its whole path and the place in it."""
    if isinstance(error, cl.BadInput):
        return str(type(error)(error.problem, file=str(path), line=error.line, field=error.field))
    return f"{path}: {error}" if isinstance(error, cl.CostLabError) else os_problem(error, str(path))  # type: ignore[arg-type]


def _import_found(o: Namespace) -> int:
    """List the session folders of known tools; read those that the user agrees to, and none unasked."""
    folders = cl.session_folders()
    if not o.json:
        rows = [[f.tool, str(f.folder), number_of(len(f.files), "file"), _size(f.size)] for f in folders]
        say(table(rows, "<<>>"))
    if not folders:
        problem("no session folder of a known tool is on this machine")
    chosen = [
        f for f in folders if f.files and (o.yes or agreed(f"Read {number_of(len(f.files), 'file')} of {f.tool}?"))
    ]
    if not chosen:
        if o.json:
            show_json([_listed(f) for f in folders])
        elif any(f.files for f in folders):
            print("nothing was read; --yes reads without asking")
        return 0
    reading = _Reading(o)
    for folder in chosen:
        reading.take(folder.files, inside=True)
    if o.json:
        show_json([*(_listed(f) for f in folders if f not in chosen), *reading.answers])
    return 1 if reading.failed else 0


def _listed(found: cl.SessionFolder) -> shapes.Json:
    """Return a folder that was not read, in the shape of a file that was."""
    return {
        "path": str(found.folder), "format": found.format, "runs": [], "merged_records": 0, "error": None,
        "tool": found.tool, "files": len(found.files), "bytes": found.size, "read": False,
    }  # fmt: skip


def _size(number: int) -> str:
    return f"{number / 1e6:,.1f} MB" if number >= 100_000 else f"{number / 1e3:,.1f} kB"
