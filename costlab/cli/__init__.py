"""The command line: JSON or plain lines on stdout, problems on stderr, exit 0 done, 1 some failed, 2 wrong use."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from costlab.cli import commands, price_commands


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    top = argparse.ArgumentParser(prog="costlab", description="What an agent costs, on every model.")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="JSON on stdout")
    common.add_argument("--home", help="the user's home, instead of COSTLAB_HOME")
    common.add_argument("--pricing", help="a folder of price files, instead of the shipped one")
    dated = argparse.ArgumentParser(add_help=False)
    dated.add_argument("--at", default="call", metavar="call|today|DATE", help="prices of which day (default: call)")
    commands_ = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    one = commands_.add_parser("price", parents=[common, dated], help="price calls")
    one.add_argument("--jsonl", metavar="FILE", help="one record a line (- is stdin)")
    one.add_argument("--provider")
    one.add_argument("--model")
    one.add_argument("--counts", help="inclusive counts by unit key, as a JSON object")
    one.add_argument("--service-tier")
    one.set_defaults(run=commands.price)

    media = commands_.add_parser("media-tokens", parents=[common], help="tokens of pictures, sound, films, pages")
    media.add_argument("--jsonl", metavar="FILE")
    for name, kind in commands.MEDIA_OPTIONS.items():
        media.add_argument(f"--{name.replace('_', '-')}", type=kind)
    media.set_defaults(run=commands.media_tokens)

    imports = commands_.add_parser("import", parents=[common, dated], help="read recordings into the store")
    _import_options(imports)
    imports.set_defaults(run=commands.import_)

    runs = commands_.add_parser("runs", parents=[common, dated], help="list recorded runs")
    runs.set_defaults(run=commands.runs)
    show = commands_.add_parser("show", parents=[common, dated], help="one run with its steps")
    show.add_argument("run_id")
    show.set_defaults(run=commands.show)
    compare = commands_.add_parser("compare", parents=[common, dated], help="runs on other models' price lists")
    compare.add_argument("run_ids", nargs="+", metavar="RUN_ID")
    compare.add_argument("--models", help="provider/model, separated by commas")
    compare.set_defaults(run=commands.compare)

    prices = commands_.add_parser("prices", help="look up, check and refresh price tables")
    price_commands.add(prices, common)
    return top


def _import_options(imports: argparse.ArgumentParser) -> None:
    imports.add_argument("paths", nargs="+", metavar="PATH")
    imports.add_argument("--format", dest="form")
    imports.add_argument(
        "--map", action="append", metavar="FIELD=COLUMN,...", help="a table's columns (docs/importers.md)"
    )
    imports.add_argument("--model", metavar="PROVIDER/MODEL", help="of all rows of a table, where no column has it")
    for name, what in (("cached", "cached tokens inside or beside a table's input tokens"),
                       ("reasoning", "reasoning tokens inside or beside its output tokens")):  # fmt: skip
        imports.add_argument(f"--{name}", choices=("inside", "beside"), help=what)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = parser().parse_args(argv)
    import costlab as cl

    try:
        code: int = options.run(options)
    except cl.CostLabError as error:
        print(f"costlab: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 1
    return code
