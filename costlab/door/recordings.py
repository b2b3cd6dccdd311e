"""Recordings as the door reads them: files and uploads of any known format, into the store or only into memory."""

from __future__ import annotations

from pathlib import Path

from costlab.errors import BadInput
from costlab.files import Held
from costlab.importers import Imported, read_file, to_store
from costlab.importers import files_in as found_in
from costlab.importers.delimited import Table, open_table
from costlab.importers.table import TableMapping
from costlab.importers.table import sniff as is_table
from costlab.runs import Run
from costlab.store import Store


def import_file(
    path: str | Path,
    *,
    home: str | Path | None = None,
    format: str | None = None,
    store: Store | None = None,
    mapping: TableMapping | None = None,
) -> Imported:
    """Read recordings from a file into the store; raises BadInput and then changes nothing.

    A run that the store holds in a later state stays as it is there, with the warning `earlier_snapshot`. `store` is
    one for several files, instead of a new one in `home`. `mapping` says which column of a table means what.
    """
    return _import(read_file(Path(path), format, mapping), store or Store(Path(home) if home else None))


def _import(read_: Imported, store: Store) -> Imported:
    found, kept = to_store(read_, store.own)
    if kept:
        store.add(kept)
    return found


def files_in(path: str | Path) -> tuple[Path, ...]:
    """Return the files under a folder that `import_file` may read, in order; a file is itself."""
    return found_in(Path(path))


def import_bytes(
    name: str,
    data: bytes,
    *,
    home: str | Path | None = None,
    store: Store | None = None,
    mapping: TableMapping | None = None,
) -> Imported:
    """Read an uploaded file's recordings into the store; raises BadInput naming it, and then changes nothing.

    The file itself is never on disk; with a `MemoryStore` its runs are not either.
    """
    source = _held(name, data)
    try:
        return _import(read_file(source, mapping=mapping), store or Store(Path(home) if home else None))
    except BadInput as problem:
        raise problem.at(file=source.name) from None


def _held(name: str, data: bytes) -> Held:
    return Held(Path(name.replace("\\", "/")).name or "upload", data)


def read(path: str | Path, *, format: str | None = None, mapping: TableMapping | None = None) -> tuple[Run, ...]:
    """Return the runs of a recording, of any known format, without storing them; raises BadInput."""
    return tuple(read_file(Path(path), format, mapping).runs)


def looks_like_table(name: str, data: bytes) -> bool:
    """Return whether an upload is a table whose columns have to be mapped: by its name, or by its headers."""
    head = data[:65_536]
    if head.lstrip()[:1] in (b"{", b"[") or head.startswith(b"PK\x03\x04"):
        return False
    return name.lower().endswith((".csv", ".tsv")) or is_table(head, name)


def read_table(path: str | Path, data: bytes | None = None) -> Table:
    """Return a CSV's headers and rows as text, to be mapped; `data` is that of an upload named `path`.

    Raises BadInput and TooLarge naming file and line.
    """
    return open_table(Path(path) if data is None else _held(str(path), data))
