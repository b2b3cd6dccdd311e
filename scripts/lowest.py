"""Prints the core's lowest allowed versions, one `name==version` a line, as pyproject.toml states them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)>=(?P<lowest>[0-9][0-9.]*)(,<[0-9.]+)?")


def lowest(pyproject: Path = PYPROJECT) -> list[str]:
    """Return the pins; a dependency that states no lowest version is a ValueError."""
    pins = []
    for stated in tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]["dependencies"]:
        found = REQUIREMENT.fullmatch(stated.replace(" ", ""))
        if found is None:
            raise ValueError(f"{pyproject.name}: {stated!r} states no lowest version")
        pins.append(f"{found['name']}=={found['lowest']}")
    return pins


if __name__ == "__main__":
    print("\n".join(lowest()))
