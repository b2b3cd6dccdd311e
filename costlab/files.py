"""The user's home, shipped data, and writing that is whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

_HERE = Path(__file__).resolve().parent


def home(folder: str | Path | None = None) -> Path:
    """Return the user's home: the folder named, else COSTLAB_HOME, else the platform's user data directory."""
    named = folder or os.environ.get("COSTLAB_HOME")
    if named:
        return Path(named)
    from platformdirs import user_data_dir

    return Path(user_data_dir("costlab", appauthor=False))


def shipped(name: str) -> Path:
    """Return a folder of shipped data: inside the installed package, else beside it in a checkout."""
    inside = _HERE / "_data" / name
    return inside if inside.is_dir() else _HERE.parent / name
