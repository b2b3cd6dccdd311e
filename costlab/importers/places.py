"""Where known tools keep their sessions on this machine. Names and sizes are looked at; no file is opened."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

Where = Callable[[Mapping[str, str], Path], Path]


@dataclass(frozen=True, slots=True)
class SessionFolder:
    """A folder in which a tool keeps its sessions: `files` in order of their names, `size` in bytes altogether."""

    tool: str
    format: str
    folder: Path
    files: tuple[Path, ...]
    size: int


@dataclass(frozen=True, slots=True)
class _Place:
    """One tool's sessions: where they are, and how the names of their files look."""

    tool: str
    format: str
    where: Where
    pattern: str


def _under(variable: str, usual: str, *inner: str) -> Where:
    """Return what finds a folder under the one that a variable names, else under the usual one in the user's home."""

    def find(environment: Mapping[str, str], home: Path) -> Path:
        named = environment.get(variable)
        return (Path(named).expanduser() if named else home / usual).joinpath(*inner)

    return find


# Claude Code: code.claude.com/docs/en/claude-directory; Codex: its docs/config.md; Gemini CLI: its configuration guide.
_PLACES = (
    _Place("Claude Code", "claude-code", _under("CLAUDE_CONFIG_DIR", ".claude", "projects"), "*.jsonl"),
    _Place("Codex", "codex", _under("CODEX_HOME", ".codex", "sessions"), "rollout-*.jsonl"),
    _Place("Gemini CLI", "gemini-cli", _under("GEMINI_CLI_HOME", "", ".gemini", "tmp"), "session-*.json*"),
)


def session_folders(
    environment: Mapping[str, str] | None = None, home: Path | None = None
) -> tuple[SessionFolder, ...]:
    """Return the known session folders that are there, with their files; nothing in them is read.

    `CLAUDE_CONFIG_DIR`, `CODEX_HOME` and `GEMINI_CLI_HOME` are heeded as the tools do. `environment` and `home` stand
    in for this process's own.
    """
    environment = os.environ if environment is None else environment
    home = home or Path.home()
    found = []
    for place in _PLACES:
        folder = place.where(environment, home)
        if folder.is_dir():
            files = sorted(_matching(folder, place.pattern))
            found.append(SessionFolder(place.tool, place.format, folder, tuple(files), sum(map(_size, files))))
    return tuple(found)


def _matching(folder: Path, pattern: str) -> Iterator[Path]:
    for inner, _, names in os.walk(folder):  # follows no links, and passes over what may not be listed
        yield from (path for name in names if (path := Path(inner, name)).match(pattern) and path.is_file())


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
