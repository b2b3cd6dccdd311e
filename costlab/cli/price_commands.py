"""`prices find | check | refresh | diff`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import costlab as cl
from costlab.cli import price_shapes as shapes
from costlab.cli.output import agreed, number_of, problem, say, show_json

EVERY = 10**9  # rows: the one who asks for a text sees all that hold it
FEW = 12  # rows that are printed of a long list; --json has all of them


def add(commands: Any, common: ArgumentParser, dated: ArgumentParser) -> None:
    """Add `prices` and its verbs to the parser of commands."""
    prices = commands.add_parser("prices", help="look up, check and refresh price tables")
    verbs = prices.add_subparsers(dest="verb", required=True, metavar="VERB")
    find = verbs.add_parser("find", parents=[common], help="rows of the models whose name holds a text")
    find.add_argument("text")
    find.set_defaults(run=_find)

    check = verbs.add_parser("check", parents=[common], help="validate all price files, the user's too")
    check.set_defaults(run=_check)

    refresh = verbs.add_parser("refresh", parents=[common], help="take a new snapshot of the price sources")
    refresh.add_argument("--online", action="store_true", help="as published, over https, instead of as installed")
    refresh.add_argument("--yes", action="store_true", help="write without asking")
    refresh.add_argument("--out", metavar="DIR", help="where to write, instead of the folder of price files")
    refresh.set_defaults(run=_refresh)

    diff = verbs.add_parser("diff", parents=[common], help="what changed between two catalogues")
    diff.add_argument("old", nargs="?", help="a folder or file (default: the folder of price files)")
    diff.add_argument("new", nargs="?", help="a folder or file (default: the sources as installed)")
    diff.set_defaults(run=_diff)


def _find(o: Namespace) -> int:
    rows = cl.find_rates(o.text, pricing=o.pricing, home=o.home, limit=EVERY)
    if o.json:
        show_json(rows)
    elif rows:
        say(shapes.row_table(rows))
    if not rows:
        near = cl.near_models(o.text, cl.load_table(o.pricing, o.home))
        problem(f"no model's name holds {o.text!r}" + (f"; near: {', '.join(near)}" if near else ""))
    return 0 if rows else 1


def _check(o: Namespace) -> int:
    found = cl.check_prices(o.pricing, o.home)
    if o.json:
        show_json(shapes.report(found))
        return 0 if found.ok else 1
    for one in found.problems:
        problem(str(one))
    for file, rows in found.files.items():
        print(f"{file}: {rows:,} {'rules' if file.endswith('.yml') else 'rows'}")
    for note in found.notes:
        print(note)
    _say_fields(found)
    _say_doubts(found)
    print("all is well" if found.ok else number_of(len(found.problems), "problem"))
    return 0 if found.ok else 1


def _say_fields(found: cl.Report) -> None:
    """Print what becomes of litellm's fields: those that are not read each with its reason."""
    fates = Counter(use.fate for use in found.fields)
    if found.fields:
        print(f"litellm's fields with numbers: {', '.join(f'{n} {fate}' for fate, n in sorted(fates.items()))}")
    for use in found.fields:
        if use.fate == "not mapped":
            print(f"  {use.field} ({number_of(use.models, 'model')}): {use.says}")
        for reason, number in use.left_out.items():
            print(f"  {use.field}, {number} of {number_of(use.models, 'model')}: {reason}")


def _say_doubts(found: cl.Report) -> None:
    zeros = Counter(f"{rate.provider}/{rate.model}" for rate in found.zeros)
    print(f"doubtful zeros: {len(found.zeros)} prices of {len(zeros)} models; they price nothing")
    _say_some([f"{name}: {number_of(n, 'price')}" for name, n in sorted(zeros.items())])
    print(f"listed twice by one source at different prices: {len(found.repeated)}; the first that is not 0 is kept")
    _say_some([shapes.twice(kept, other) for kept, other in found.repeated])
    wide = sum(d.ratio is None or d.ratio >= 2 for d in found.disagreements)
    models = {(d.provider, d.model) for d in found.disagreements}
    told = f"{len(found.disagreements)} prices of {len(models)} models, {wide} of them by a factor of 2 or more"
    told += f", {sum(d.corrected for d in found.disagreements)} of them corrected"
    first = Counter(d.preferred for d in found.disagreements)
    print(f"the sources disagree on {told}; preferred: {', '.join(f'{s} {n} times' for s, n in first.most_common())}")
    _say_some([shapes.disagreement_line(d) for d in found.disagreements])


def _say_some(lines: Sequence[str]) -> None:
    for line in lines[:FEW]:
        print(f"  {line}")
    if len(lines) > FEW:
        print(f"  and {len(lines) - FEW} more (--json has all)")


def _diff(o: Namespace) -> int:
    moved = cl.diff_prices(o.old or o.pricing, o.new)
    if o.json:
        show_json([shapes.change(c) for c in moved])
        return 0
    _say_changes(moved, every=True)
    return 0


def _say_changes(moved: Sequence[cl.Change], *, every: bool) -> None:
    kinds = Counter(c.kind for c in moved)
    print(", ".join(f"{kinds[kind]:,} rows {kind}" for kind in ("added", "removed", "changed")))
    lines = [shapes.change_line(c) for c in moved]
    if every:
        for line in lines:
            print(f"  {line}")
    else:
        _say_some(lines)


def _refresh(o: Namespace) -> int:
    now = datetime.now(UTC)
    new = cl.renew_prices(o.pricing, o.home, online=o.online, today=now.date())
    name = cl.reference_model()
    runs = cl.Store(Path(o.home) if o.home else None).runs()
    stand_in = (name, lambda run, table: cl.on_model(run, name, table))
    moved = list(cl.worth(runs, new.before, new.after, now=now, stand_in=stand_in))
    target = Path(o.out) if o.out else cl.pricing_folder(o.pricing)
    if not o.json:
        said = " and ".join(f"{source} {version}" for source, version in new.snapshot.versions.items())
        print(f"{new.snapshot.rows:,} rows from {said}")
        _say_changes(new.changes, every=False)
        _say_runs(moved)
    written = o.yes or agreed(f"Write these prices to {target}?")
    if written:
        new.write(target)
    if o.json:
        show_json(shapes.renewal(new, moved, target, written))
    else:
        print(f"written to {target}" if written else "nothing was written; --yes writes without asking")
    return 0


def _say_runs(moved: Sequence[cl.RunChange]) -> None:
    """Print what the new prices mean for the recordings at hand, in money, at each call's own date."""
    print(
        f"{number_of(len(moved), 'recorded run')} would change in cost" if moved else "no recorded run changes in cost"
    )
    _say_some([shapes.run_line(run) for run in sorted(moved, key=lambda r: -abs(r.difference))])
