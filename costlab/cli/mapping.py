"""The options of `import` that say which column of a table is what."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

import costlab as cl
from costlab.cli.output import WrongUse


def add(imports: ArgumentParser) -> None:
    """Add the options to the parser of `import`."""
    imports.add_argument(
        "--map", action="append", metavar="FIELD=COLUMN,...", help="a table's columns (docs/importers.md)"
    )
    imports.add_argument("--model", metavar="PROVIDER/MODEL", help="of all rows of a table, where no column has it")
    for name, what in (
        ("cached", "cached tokens inside or beside a table's input tokens"),
        ("reasoning", "reasoning tokens inside or beside its output tokens"),
    ):
        imports.add_argument(f"--{name}", choices=("inside", "beside"), help=what)


def mapping(path: Path, o: Namespace) -> cl.TableMapping | None:
    """Return how a table's columns are mapped: as its headers suggest, and what was said over that; None for others."""
    said = [pair for text in o.map or () for pair in text.split(",") if pair.strip()]
    if not (said or o.cached or o.reasoning or o.model) or path.is_dir():
        return None
    guess = cl.guess_mapping(cl.read_table(path).headers)
    columns = dict(guess.columns)
    for pair in said:
        name, equals, header = (part.strip() for part in pair.partition("="))
        if not equals:
            raise WrongUse(f"--map must be FIELD=COLUMN, not {pair.strip()[:60]!r}")
        columns[name] = header
    columns = {name: header for name, header in columns.items() if header}
    if o.model and not any(pair.strip().startswith("model=") for pair in said):
        columns.pop("model", None)
    return cl.TableMapping(columns, o.model or "", o.cached or guess.cached, o.reasoning or "")


def hinted(error: cl.BadInput) -> cl.BadInput:
    """Return a refusal with the option that answers what it asks."""
    if error.field not in ("cached", "reasoning"):
        return error
    told = f"{error.problem}; add --{error.field} inside or --{error.field} beside"
    return type(error)(told, file=error.file, line=error.line, field=error.field)
