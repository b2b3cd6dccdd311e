"""Rooms that need an extra: loaded when first used, and a package that is not there is named."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from costlab.errors import MissingExtra


def with_extra(module: str, extra: str = "app") -> Any:
    """Load a module that needs an extra; a package that is not there is named."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtra(str(error.name), extra) from error
