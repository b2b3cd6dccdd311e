"""The command line: JSON or plain lines on stdout, problems on stderr, exit 0 done, 1 some failed, 2 wrong use."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import costlab as cl
from costlab.cli.output import WrongUse, let_go, os_problem, problem, ready

# Which module adds which command. A start loads the module of the command that it is for.
_MODULES = {
    "price": "commands",
    "media-tokens": "commands",
    "import": "importing",
    "runs": "run_commands",
    "show": "run_commands",
    "compare": "comparing",
    "report": "reporting",
    "run": "live_commands",
    "metrics": "metric_commands",
    "prices": "price_commands",
}
DEBUG = "COSTLAB_DEBUG"  # set, it shows where an error of CostLab's own was raised


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and takes no option by half its name: scripts would break when one is added."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **more})

    def error(self, message: str) -> NoReturn:
        """Print what is wrong with the command and leave with 2."""
        self.exit(2, f"{self.prog}: {message} ({self.prog} --help)\n")


def parser(first: str = "") -> argparse.ArgumentParser:
    """Return the parser of all commands, or only of those beside the one that a command line begins with."""
    top = _Parser(prog="costlab", description="What an agent costs, on every model.")
    top.add_argument("--version", action="version", version=f"costlab {cl.__version__}")
    _everywhere(top, json=False, home=None, pricing=None)
    common = argparse.ArgumentParser(add_help=False)
    _everywhere(common, **dict.fromkeys(("json", "home", "pricing"), argparse.SUPPRESS))
    dated = argparse.ArgumentParser(add_help=False)
    dated.add_argument(
        "--at", default="call", type=_day, metavar="call|today|DATE", help="prices of which day (default: call)"
    )
    commands_ = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in dict.fromkeys([_MODULES[first]] if first in _MODULES else _MODULES.values()):
        import_module(f"costlab.cli.{module}").add(commands_, common, dated)
    return top


def _everywhere(parser: argparse.ArgumentParser, **defaults: Any) -> None:
    """Add what every command takes, before its name or after."""
    options = parser.add_argument_group("everywhere")
    options.add_argument("--json", action="store_true", default=defaults["json"], help="JSON on stdout")
    options.add_argument(
        "--home", metavar="DIR", default=defaults["home"], help="the user's home, instead of COSTLAB_HOME"
    )
    options.add_argument(
        "--pricing", metavar="DIR", default=defaults["pricing"], help="a folder of price files, not the shipped one"
    )


def _day(text: str) -> str:
    """Return what `--at` says if it names a day."""
    if text not in ("call", "today"):
        try:
            cl.call_moment(text)
        except cl.BadInput:
            raise argparse.ArgumentTypeError(f"must be call, today or a date as 2026-11-20, not {text!r}") from None
    return text


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    ready(sys.stdout)
    try:
        words = sys.argv[1:] if argv is None else list(argv)
        options = parser(words[0] if words else "").parse_args(words)
    except SystemExit as stop:  # argparse has said why
        return int(stop.code or 0)
    try:
        if options.pricing and not Path(options.pricing).is_dir():
            raise WrongUse(f"--pricing {options.pricing}: is no folder")
        code: int = options.run(options)
        sys.stdout.flush()
    except Exception as error:  # noqa: BLE001 - no stack trace reaches a user
        return _failed(error)
    except KeyboardInterrupt:
        return 130
    return code


def _failed(error: Exception) -> int:
    """Say why a command failed and return its exit code."""
    if isinstance(error, BrokenPipeError):  # who read the output has seen enough
        let_go(sys.stdout)
        return 1
    if isinstance(error, WrongUse | cl.CostLabError):
        problem(str(error))
        return 2 if isinstance(error, WrongUse) else 1
    if isinstance(error, OSError):
        let_go(sys.stdout)
        problem(os_problem(error, "the output"))
        return 1
    if os.environ.get(DEBUG):
        raise error
    problem(f"an error of CostLab's own, {type(error).__name__}: {error} ({DEBUG}=1 shows where)")
    return 1
