"""`report`: runs on other models' price lists as one page to send."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from datetime import UTC, datetime
from typing import Any

import costlab as cl
from costlab.cli.comparing import asked_models
from costlab.cli.output import plain, show_json
from costlab.cli.run_commands import store_of

MOST_DAILY = 10_000_000  # tasks


def add(commands: Any, common: ArgumentParser, dated: ArgumentParser) -> None:
    """Add `report` to the parser of commands."""
    one = commands.add_parser("report", parents=[common, dated], help="one self-contained page of a comparison")
    one.add_argument("run_ids", nargs="+", metavar="RUN_ID", help="as `costlab runs` lists them")
    one.add_argument("-o", "--out", required=True, metavar="FILE.html", help="where to write the page")
    one.add_argument("--models", metavar="A,B,C", help="provider/model, separated by commas (default: a set of eight)")
    one.add_argument("--reference", metavar="MODEL", help="provider/model to compare with, as in compare")
    one.add_argument("--daily", type=_tasks, default=100, metavar="N", help="tasks a day of a month (default: 100)")
    one.add_argument("--lang", choices=list(cl.LANGUAGES), default="en", help="language of the page (default: en)")
    one.set_defaults(run=report)


def _tasks(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= MOST_DAILY):
        raise ArgumentTypeError(f"must be a whole number from 1 to {MOST_DAILY:,}, not {text!r}")
    return int(text)


def report(o: Namespace) -> int:
    """`report`: written whole or not at all, so a run or a model that is not known is no page."""
    now, prices, store = datetime.now(UTC), cl.load_table(o.pricing, o.home), store_of(o)
    names, words = asked_models(o, prices), cl.words_of(o.lang)
    found = [
        cl.comparison(
            store.open(run_id), names, prices,
            at=o.at, now=now, reference=o.reference, daily=o.daily, pricing=o.pricing, t=words,
        )
        for run_id in o.run_ids
    ]  # fmt: skip
    path = cl.save_report(found, o.out, o.lang)
    if o.json:
        show_json({"path": str(path), "bytes": path.stat().st_size, "lang": o.lang, "runs": o.run_ids, "models": names})
    else:
        print(plain(str(path)))
    return 0
