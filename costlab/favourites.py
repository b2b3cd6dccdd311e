"""The user's own set of models: `favourites.json` in their home."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from costlab import files
from costlab.errors import BadInput

NAME = "favourites.json"
MAX_BYTES = 1_000_000


def read_favourites(home: str | Path | None = None) -> tuple[str, ...]:
    """Return the user's own set of models as `provider/model`; raises BadInput where the file cannot be read."""
    path = files.home(home) / NAME
    if not path.exists():
        return ()
    value = files.parse_json(files.read_bounded(path, MAX_BYTES), file=str(path))
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise BadInput("must be a list of provider/model names", file=str(path))
    return tuple(value)


def save_favourites(models: Iterable[str], home: str | Path | None = None) -> None:
    """Keep the user's own set of models, atomically; raises CostLabError where it cannot be written."""
    files.write_atomic(files.home(home) / NAME, json.dumps(list(models)).encode())
