"""Recordings as the door reads them: files and uploads of any known format, into the store or only into memory."""

from __future__ import annotations

from pathlib import Path

from costlab.errors import BadInput
from costlab.files import Held, Source
from costlab.importers import Imported, read_file, to_store
from costlab.importers import files_in as found_in
from costlab.runs import Run
from costlab.store import Store


def import_file(
    path: str | Path, *, home: str | Path | None = None, format: str | None = None, store: Store | None = None
) -> Imported:
    """Read recordings from a file into the store; raises BadInput and then changes nothing.

    A run that the store holds in a later state stays as it is there, with the warning `earlier_snapshot`. `store` is
    one for several files, instead of a new one in `home`.
    """
    return _import(Path(path), store or Store(Path(home) if home else None), format)


def _import(source: Source, store: Store, format: str | None) -> Imported:
    found, kept = to_store(read_file(source, format), store.own)
    if kept:
        store.add(kept)
    return found


def files_in(path: str | Path) -> tuple[Path, ...]:
    """Return the files under a folder that `import_file` may read, in order; a file is itself."""
    return found_in(Path(path))


def import_bytes(
    name: str, data: bytes, *, home: str | Path | None = None, format: str | None = None, store: Store | None = None
) -> Imported:
    """Read an uploaded file's recordings into the store; raises BadInput naming it, and then changes nothing.

    The file itself is never on disk; with a `MemoryStore` its runs are not either.
    """
    source = Held(Path(name.replace("\\", "/")).name or "upload", data)
    try:
        return _import(source, store or Store(Path(home) if home else None), format)
    except BadInput as problem:
        raise problem.at(file=source.name) from None


def read(path: str | Path, *, format: str | None = None) -> tuple[Run, ...]:
    """Return the runs of a recording, of any known format, without storing them; raises BadInput."""
    return tuple(read_file(Path(path), format).runs)
