"""The user's home, shipped data, bounded reading of foreign files, and writing that is whole or not at all."""

from __future__ import annotations

import errno
import io
import json
import math
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from costlab.errors import BadInput, CostLabError, TooLarge

MAX_BYTES = 512 * 2**20
MAX_LINE_BYTES = 64 * 2**20
MAX_DEPTH = 200
LOCK_SECONDS = 30.0
_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Held:
    """A file that is in memory and nowhere else, such as an upload: what a reader asks of a path."""

    name: str
    data: bytes

    @property
    def stem(self) -> str:
        """Return the name without its last suffix."""
        return PurePosixPath(self.name).stem

    @property
    def suffix(self) -> str:
        """Return the last suffix of the name, with its dot."""
        return PurePosixPath(self.name).suffix

    def open(self, mode: str = "rb") -> BinaryIO:
        """Return the bytes as a stream."""
        return io.BytesIO(self.data)

    def __str__(self) -> str:
        return self.name


Source = Path | Held


def home(folder: str | Path | None = None) -> Path:
    """Return the user's home: the folder named, else COSTLAB_HOME, else the platform's user data directory."""
    named = folder or os.environ.get("COSTLAB_HOME")
    if named:
        return Path(named)
    from platformdirs import user_data_dir

    return Path(user_data_dir("costlab", appauthor=False))


def shipped(name: str) -> Path:
    """Return a folder of shipped data: inside the installed package, else beside it in a checkout.

    `COSTLAB_RECORDINGS` names another folder of recordings to list as built in, such as a team's own set for a demo.
    """
    if name == "recordings" and os.environ.get("COSTLAB_RECORDINGS"):
        return Path(os.environ["COSTLAB_RECORDINGS"])
    inside = _HERE / "_data" / name
    return inside if inside.is_dir() else _HERE.parent / name


def write_atomic(path: Path, data: bytes, *, private: bool = True) -> None:
    """Write a file whole: afterwards it is the old one or the new one, never half of one. Raises CostLabError.

    A `private` file is its owner's alone; another is as readable as any that the user makes.
    """
    write_all({path: data}, private=private)


def write_all(files: Mapping[Path, bytes], *, private: bool = True) -> None:
    """Write several files: all of them are on disk under other names before the first takes its place."""
    staged: list[tuple[str, Path]] = []
    place: Path | None = None
    try:
        for place, data in files.items():
            staged.append((_stage(place, data), place))
        for temporary, place in staged:
            if not private:
                os.chmod(temporary, 0o666 & ~_umask())
            os.replace(temporary, place)
        for folder in {path.parent for path in files}:
            _sync(folder)
    except OSError as problem:
        raise CostLabError(f"cannot write {place or 'a file'}: {problem.strerror or problem}") from problem
    finally:
        for temporary, _ in staged:
            Path(temporary).unlink(missing_ok=True)


def _umask() -> int:
    """Return the process's mask of rights; to be read it must be set, here to the strictest for that moment."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _stage(path: Path, data: bytes) -> str:
    """Write data to a new file beside `path`, through to the disk, and return its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
    except BaseException:  # also when interrupted: no rest is left behind
        Path(temporary).unlink(missing_ok=True)
        raise
    return temporary


def _sync(folder: Path) -> None:
    """Bring a folder's entries to the disk; Windows has no such call, and some network folders refuse it."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as problem:
        if problem.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


@contextmanager
def locked(path: Path, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Hold the lock file `path` against other processes and threads.

    Raises CostLabError after `seconds`, or where the file cannot be made.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path, timeout=seconds)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise CostLabError(f"another CostLab has held {path} for more than {seconds:g} seconds") from None
    except (OSError, NotImplementedError) as problem:
        raise CostLabError(f"cannot write {path}: {getattr(problem, 'strerror', None) or problem}") from problem
    try:
        yield
    finally:
        lock.release()


def read_bounded(path: Source, limit: int = MAX_BYTES) -> bytes:
    """Return a file's bytes; raises TooLarge past `limit` bytes, BadInput where it cannot be read."""
    try:
        with path.open("rb") as source:
            known = len(path.data) if isinstance(path, Held) else os.fstat(source.fileno()).st_size  # 0: no plain file
            data = source.read(limit + 1) if known <= limit else b""
    except OSError as problem:
        raise BadInput(f"cannot be read: {problem.strerror or problem}", file=str(path)) from None
    if max(known, len(data)) > limit:
        raise TooLarge(f"has more than {limit} bytes, the most that is read", file=str(path))
    return data


def parse_json(data: bytes | str, *, file: str | None, line: int | None = None, max_depth: int = MAX_DEPTH) -> object:
    """Return one JSON value; raises BadInput with the line for broken JSON and NaN, TooLarge past `max_depth` levels.

    `line` is where the data begins in its file (default 1).
    """
    begins = line if line is not None else 1
    try:
        text = data if isinstance(data, str) else data.decode("utf-8-sig")
        value: object = json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except UnicodeDecodeError as problem:
        broken = begins + bytes(data).count(b"\n", 0, problem.start) if isinstance(data, bytes) else begins
        raise BadInput("not UTF-8 text", file=file, line=broken) from None
    except json.JSONDecodeError as problem:
        raise BadInput(f"broken JSON: {problem.msg}", file=file, line=begins + problem.lineno - 1) from None
    except RecursionError:
        raise TooLarge(f"nested more than {max_depth} deep", file=file, line=begins) from None
    except ValueError as problem:  # a whole number of thousands of digits, or no number at all
        raise BadInput(f"broken JSON: {str(problem)[:120]}", file=file, line=begins) from None
    if may_be_deep(text, max_depth) and too_deep(value, max_depth):
        raise TooLarge(f"nested more than {max_depth} deep", file=file, line=begins)
    return value


def _no_number(word: str) -> object:
    raise ValueError(f"{word} is not a number")


def _finite(written: str) -> float:
    if math.isinf(number := float(written)):
        raise ValueError(f"{written[:20]} is past the largest number")
    return number


def may_be_deep(text: str, max_depth: int) -> bool:
    """Return whether JSON text can be nested more than `max_depth` deep: it has so many brackets, wherever they are."""
    return text.count("{") + text.count("[") > max_depth


def too_deep(value: object, max_depth: int = MAX_DEPTH) -> bool:
    """Return whether objects and arrays are nested more than `max_depth` deep."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(max_depth):
        if not level:
            return False
        inner = (one for outer in level for one in (outer.values() if isinstance(outer, dict) else outer))
        level = [one for one in inner if isinstance(one, dict | list)]
    return bool(level)


def json_lines(
    path: Source, limit: int = MAX_BYTES, *, tolerate_torn: bool = True, max_depth: int = MAX_DEPTH
) -> Iterator[tuple[int, object, bool]]:
    """Yield (line, value, torn) of a JSONL file of at most `limit` bytes; empty lines are left out.

    With `tolerate_torn`, a broken last line that has no line end comes as (line, None, True): its writer was killed,
    or is at it. Raises TooLarge and BadInput with the line.
    """
    data = read_bounded(path, limit)
    rows = data.split(b"\n")
    for place, row in enumerate(rows, 1):
        if not row.strip():
            continue
        try:
            value = parse_json(row, file=str(path), line=place, max_depth=max_depth)
        except TooLarge:  # a line too deep is not a torn one
            raise
        except BadInput:
            if not tolerate_torn or place != len(rows):
                raise
            yield place, None, True
            return
        yield place, value, False


def json_records(source: BinaryIO, file: str, limit: int = MAX_LINE_BYTES) -> Iterator[tuple[int, object, str]]:
    """Yield (line, value, '') of a JSONL stream, or (line, None, what is wrong with it); empty lines are left out.

    One bad line spoils no other. A line of more than `limit` bytes is passed over without being held.
    """
    place = 0
    while row := source.readline(limit + 1):
        place += 1
        if len(row) > limit and not row.endswith(b"\n"):
            while (rest := source.readline(limit)) and not rest.endswith(b"\n"):
                pass
            yield place, None, f"{file}, line {place}: has more than {limit} bytes, the most that is read"
            continue
        if not row.strip():
            continue
        try:
            value = parse_json(row, file=file, line=place)
        except BadInput as problem:
            yield place, None, str(problem)
            continue
        yield place, value, ""
