"""`prices find | check | refresh | diff`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

import costlab as cl
from costlab.cli.commands import show_json


def add(prices: ArgumentParser, common: ArgumentParser) -> None:
    """Add the commands about price tables to their parser."""
    verbs = prices.add_subparsers(dest="verb", required=True, metavar="VERB")
    find = verbs.add_parser("find", parents=[common], help="rows of the models whose name holds a text")
    find.add_argument("text")
    find.set_defaults(run=_find)


def _find(o: Namespace) -> int:
    rows = cl.find_rates(o.text, pricing=o.pricing, home=o.home)
    if o.json:
        show_json(rows)
        return 0 if rows else 1
    for r in rows:
        terms = " ".join(f"{k}={r[k]}" for k in ("when", "input_over", "valid_from", "valid_to") if r[k])
        print(
            f"{r['provider']}/{r['model']:40} {r['unit']:24} {r['price']:>12} / {r['per']:>9} {terms} [{r['source']}]"
        )
    return 0 if rows else 1
