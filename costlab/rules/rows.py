"""Reading a rule file: one version of it at a time, field by field; every error names the file and the field."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from reprlib import repr as short

import yaml

from costlab.errors import BadInput, NotFound, TooLarge
from costlab.media import ModelPattern, model_pattern

MAX_BYTES = 2_000_000
# The C parser is ten times faster and just as safe; PyYAML wheels have it, a build without libyaml has not.
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Row:
    """One table of a file, read field by field; every error names the file and the field's path."""

    file: str
    path: str
    values: Mapping[str, object]

    def bad(self, key: str, problem: str) -> BadInput:
        """Return an error at a field of this row."""
        return BadInput(problem, file=self.file, field=f"{self.path}.{key}" if self.path else key)

    def only(self, known: frozenset[str]) -> None:
        """Raise for a field that the row must not have."""
        for key in self.values:
            if key not in known:
                raise self.bad(key, f"unknown field; there are {', '.join(sorted(known))}")

    def text(self, key: str, default: str | None = None, *, one_of: tuple[str, ...] = ()) -> str:
        """Return a word, where asked one of a list."""
        found = self.values.get(key, default)
        if not isinstance(found, str):
            raise self.bad(key, "missing" if found is None else f"not a word: {short(found)}")
        if one_of and found not in one_of:
            raise self.bad(key, f"unknown: {short(found)}; there are {', '.join(w for w in one_of if w)}")
        return found

    def whole(self, key: str) -> int | None:
        """Return a whole number of at least 0, None where absent."""
        found = self.values.get(key)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int) or found < 0:
            raise self.bad(key, f"not a whole number: {short(found)}")
        return found

    def flag(self, key: str) -> bool:
        """Return true or false, false where absent."""
        found = self.values.get(key, False)
        if not isinstance(found, bool):
            raise self.bad(key, f"not true or false: {short(found)}")
        return found

    def decimal(self, key: str) -> Decimal | None:
        """Return an exact number of at least 0, None where absent."""
        found = self.values.get(key)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int | str):
            raise self.bad(key, f"not a number in quotes: {short(found)}")
        try:
            number = Decimal(found)
        except InvalidOperation:
            raise self.bad(key, f"not a number: {short(found)}") from None
        if not number.is_finite() or number < 0:
            raise self.bad(key, f"not a multiple: {short(found)}")
        return number

    def day(self, key: str) -> date | None:
        """Return a date, None where absent."""
        found = self.values.get(key)
        if found is not None and (not isinstance(found, date) or isinstance(found, datetime)):
            raise self.bad(key, f"not a date like 2026-08-01: {short(found)}")
        return found

    def words(self, key: str) -> tuple[str, ...]:
        """Return a list of words, empty where absent."""
        found = self.values.get(key, [])
        if not isinstance(found, list) or not all(isinstance(f, str) and f for f in found):
            raise self.bad(key, "not a list of words")
        return tuple(found)

    def table(self, key: str, default: Mapping[str, object] | None = None) -> Row:
        """Return a table as a row of its own."""
        found = self.values.get(key, default)
        if not isinstance(found, Mapping):
            raise self.bad(key, "missing" if found is None else "not a table")
        return Row(self.file, f"{self.path}.{key}" if self.path else key, {str(k): v for k, v in found.items()})

    def rows(self, key: str) -> Iterator[Row]:
        """Yield the tables of a list, each named in errors by its id, name or place."""
        found = self.values.get(key, [])
        if not isinstance(found, list):
            raise self.bad(key, "not a list")
        for place, value in enumerate(found):
            named = value.get("id") or value.get("name") if isinstance(value, Mapping) else None
            path = f"{key}[{named or place}]"
            if not isinstance(value, Mapping):
                raise BadInput("not a table", file=self.file, field=path)
            yield Row(self.file, path, {str(k): v for k, v in value.items()})

    def validity(self) -> tuple[date | None, date | None]:
        """Return `valid_from` and `valid_to`, which must be in order."""
        start, end = self.day("valid_from"), self.day("valid_to")
        if start and end and end <= start:
            raise self.bad("valid_to", "a validity must end after it starts")
        return start, end

    def source(self, sources: Mapping[str, str]) -> str:
        """Return the line of the source that the row names."""
        return sources[self.text("source", one_of=tuple(sources))]

    def patterns(self) -> tuple[ModelPattern, ...]:
        """Read `models` and `versions`; at least one must be there."""
        found: list[ModelPattern] = []
        for text in self.words("models"):
            try:
                found.append(model_pattern(text))
            except BadInput as why:
                raise self.bad("models", why.problem) from None
        if "versions" in self.values:
            found.append(_versions(self.table("versions")))
        if not found:
            raise self.bad("models", "missing: for which models the rule is")
        return tuple(found)


def _versions(row: Row) -> ModelPattern:
    row.only(frozenset(("family", "from", "below")))
    family = row.text("family")
    try:
        re.compile(family)
    except re.error as why:
        raise row.bad("family", f"not a pattern: {why}") from None
    below = _version(row, "below") if "below" in row.values else None
    return ModelPattern(family=family, first=_version(row, "from"), below=below)


def _version(row: Row, key: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)(?:\.(\d+))?", row.text(key))
    if not found:
        raise row.bad(key, "not a version in quotes, like '4.7'")
    return int(found[1]), int(found[2] or 0)


def stamp(path: Path) -> tuple[str, int, int]:
    """Return what tells one version of a file from another."""
    try:
        state = path.stat()
    except FileNotFoundError:
        raise NotFound(f"no file {path}") from None
    if state.st_size > MAX_BYTES:
        raise TooLarge(f"{state.st_size} bytes, at most {MAX_BYTES}", file=str(path))
    return str(path), state.st_mtime_ns, state.st_size


def read_rules(file: str) -> tuple[Row, dict[str, str], str]:
    """Return a file's top table, its sources as lines of text, and a hash of its content."""
    data = Path(file).read_bytes()
    try:
        found = yaml.load(data.decode("utf-8"), Loader=_LOADER)  # a safe loader: plain data, no objects
    except UnicodeDecodeError as why:
        raise BadInput(f"not UTF-8 text: {why.reason}", file=file) from None
    except yaml.MarkedYAMLError as why:
        line = why.problem_mark.line + 1 if why.problem_mark else None
        raise BadInput(f"not YAML: {why.problem}", file=file, line=line) from None
    except (yaml.YAMLError, ValueError, RecursionError) as why:
        raise BadInput(f"not YAML: {why}", file=file) from None
    if not isinstance(found, Mapping):
        raise BadInput("not a table with version, sources and rules", file=file)
    top = Row(file, "", {str(k): v for k, v in found.items()})
    top.only(frozenset(("version", "sources", "aliases", "rules")))
    if top.whole("version") != 1:
        raise top.bad("version", f"this program reads version 1, not {short(top.values.get('version'))}")
    sources = {}
    for key in top.table("sources").values:
        row = top.table("sources").table(key)
        row.only(frozenset(("url", "read", "edition")))
        edition, day = row.text("edition", ""), row.day("read")
        if day is None:
            raise row.bad("read", "missing: the day on which it was read")
        sources[key] = f"{row.text('url')} (read {day}{', ' if edition else ''}{edition})"
    return top, sources, hashlib.sha256(data).hexdigest()[:12]


def no_twins(file: str, ids: list[str]) -> None:
    """Raise where an id stands twice."""
    for name in ids:
        if ids.count(name) > 1:
            raise BadInput("the id stands twice", file=file, field=f"rules[{name}].id")
