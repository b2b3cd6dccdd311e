"""The exception tree. Every error that a user can cause says what, where and, if it can, what to do next.

CostLabError
├── BadInput            foreign data cannot be read: names file, line and field
│   ├── UnknownUnit     a unit key that CostLab does not know
│   └── NoRecording     a sound file that holds no recorded model call, or is of no known format
├── UnknownModel        a name that no table resolves; carries near matches
├── NotFound            a run, file or rate that is asked for by name is not there
├── Conflict            somebody else changed the same thing since it was read
├── TooLarge            an input past its stated bound
└── MissingExtra        an optional part is not installed; names the extra
"""

from __future__ import annotations


class CostLabError(Exception):
    """Root of all errors that CostLab raises on purpose; `str()` is fit to show to a user."""


class BadInput(CostLabError):
    """Foreign data that cannot be used. `file`, `line` (1-based) and `field` say where, `problem` says what."""

    def __init__(
        self, problem: str, *, file: str | None = None, line: int | None = None, field: str | None = None
    ) -> None:
        self.problem, self.file, self.line, self.field = problem, file, line, field
        super().__init__(problem)

    def at(self, *, file: str | None = None, line: int | None = None, field: str | None = None) -> BadInput:
        """Return the same error with the place filled in where it was not known yet."""
        return type(self)(
            self.problem,
            file=self.file or file,
            line=self.line if self.line is not None else line,
            field=self.field or field,
        )

    def __str__(self) -> str:
        place = [p for p in (self.file, f"line {self.line}" if self.line is not None else None, self.field) if p]
        return f"{', '.join(place)}: {self.problem}" if place else self.problem


class UnknownUnit(BadInput):
    """A unit key that is in no unit list."""


class NoRecording(BadInput):
    """A sound file that holds no recorded model call, or is of no known format; in a folder it is passed over."""


class TooLarge(BadInput):
    """An input past its stated bound: refused before it is read whole."""


class UnknownModel(CostLabError):
    """A model name that resolves to nothing; `near` are suggestions, never used by themselves."""

    def __init__(self, name: str, near: tuple[str, ...] = ()) -> None:
        self.name, self.near = name, near
        hint = f"; near: {', '.join(near)}" if near else ""
        super().__init__(f"no model named {name!r} in the price tables{hint}")


class NotFound(CostLabError):
    """Something asked for by name is not there."""


class Conflict(CostLabError):
    """The thing to be saved was changed by somebody else since it was read; nothing was written."""


class MissingExtra(CostLabError):
    """An optional part is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        self.package, self.extra = package, extra
        super().__init__(f"this needs {package}: pip install 'costlab[{extra}]'")
