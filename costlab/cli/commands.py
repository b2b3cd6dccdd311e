"""The commands about calls and runs."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import costlab as cl
from costlab.cli import shapes

MEDIA_OPTIONS: Mapping[str, type] = {
    "model": str, "kind": str, "width": int, "height": int, "detail": str, "media_resolution": str,
    "input_fidelity": str, "seconds": float, "fps": float, "track": str, "direction": str, "pages": int,
    "page_width": float, "page_height": float, "page_size": str, "platform": str, "rule": str, "at": str,
    "quality": str, "size": str,
}  # fmt: skip


def show_json(value: object) -> None:
    """Print one JSON document."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=None)
    sys.stdout.write("\n")


def wrong_use(why: str) -> int:
    """Say what is wrong with the call itself."""
    print(f"costlab: {why}", file=sys.stderr)
    return 2


def records(path: str) -> Iterator[tuple[int, object, str]]:
    """Yield (line, object, error) of a JSONL file or of stdin, empty lines left out."""
    stream = sys.stdin if path == "-" else open(path, encoding="utf-8")  # noqa: SIM115 - closed below
    try:
        for place, text in enumerate(stream, 1):
            if not text.strip():
                continue
            try:
                yield place, json.loads(text), ""
            except (ValueError, RecursionError) as error:
                yield place, None, f"line {place}: not JSON: {error}"[:300]
    finally:
        if stream is not sys.stdin:
            stream.close()


def price(o: Namespace) -> int:
    """`price`: one answer for each record, in order."""
    now = datetime.now(UTC)
    if not o.jsonl:
        if not (o.model and o.counts):
            return wrong_use("price needs --jsonl FILE, or --model and --counts")
        try:
            counts = json.loads(o.counts)
        except ValueError as error:
            return wrong_use(f"--counts is not JSON: {error}")
        asked = {"provider": o.provider, "model": o.model, "counts": counts, "service_tier": o.service_tier}
        answer = _priced(asked, cl.load_table(o.pricing, o.home), o, now, None)
        _say_price(answer, as_json=True) if o.json else _say_price(answer, as_json=False)
        return 1 if answer["error"] else 0
    table, failed = cl.load_table(o.pricing, o.home), 0
    try:
        for place, record, broken in records(o.jsonl):
            answer = shapes.refused(None, broken) if broken else _priced(record, table, o, now, place)
            failed += answer["error"] is not None
            _say_price(answer, as_json=True)
    except (OSError, UnicodeDecodeError) as error:
        return wrong_use(f"{o.jsonl}: {error}")
    return 1 if failed else 0


def _priced(record: object, table: cl.PriceTable, o: Namespace, now: datetime, place: int | None) -> shapes.Json:
    if not isinstance(record, Mapping):
        return shapes.refused(None, f"line {place}: must be an object, not {type(record).__name__}")
    try:
        found = cl.quote(record, table=table, at=o.at, now=now, pricing=o.pricing)
    except cl.BadInput as error:
        return shapes.refused(record.get("id"), str(error.at(line=place)))
    return shapes.quoted(record.get("id"), found)


def _say_price(answer: shapes.Json, *, as_json: bool) -> None:
    if as_json:
        show_json(answer)
    elif answer["error"]:
        print(f"costlab: {answer['error']}", file=sys.stderr)
    else:
        print(f"{'at least ' if answer['lower_bound'] else ''}${answer['total_usd']}")
        for line in answer["lines"]:  # type: ignore[attr-defined]
            print(f"  {line['unit']:28} {line['quantity']:>12,} x ${line['usd_per_unit']} = ${line['usd']}")
        if answer["unpriced"]:
            print(f"  unpriced: {', '.join(answer['unpriced'])} ({answer['unpriced_why']})")  # type: ignore[arg-type]


def media_tokens(o: Namespace) -> int:
    """`media-tokens`: tokens by the vendor's formula."""
    if o.jsonl:
        failed = 0
        for place, record, broken in records(o.jsonl):
            answer = _media(record, o.pricing) if not broken else {"id": None, "tokens": None, "error": broken}
            if isinstance(answer["error"], str) and not broken:
                answer["error"] = f"line {place}: {answer['error']}"
            failed += answer["error"] is not None
            show_json(answer)
        return 1 if failed else 0
    given = {name: getattr(o, name) for name in MEDIA_OPTIONS if getattr(o, name) is not None}
    if "model" not in given or "kind" not in given:
        return wrong_use("media-tokens needs --model and --kind, or --jsonl FILE")
    answer = _media(given, o.pricing)
    if o.json:
        show_json(answer)
    elif answer["error"] is None:
        print(f"{answer['tokens']:,} tokens: {answer['formula']} ({answer['source']})")
    else:
        print(f"costlab: {answer['error']}", file=sys.stderr)
    return 1 if answer["error"] else 0


def _media(record: object, pricing: str | None) -> shapes.Json:
    if not isinstance(record, Mapping):
        return {"id": None, "tokens": None, "formula": None, "source": None, "error": "must be an object"}
    identity = record.get("id")
    try:
        found = cl.media_tokens(record, pricing=pricing)
    except cl.BadInput as error:
        return {"id": identity, "tokens": None, "formula": None, "source": None, "error": str(error)}
    return {
        "id": identity, "tokens": found.tokens, "formula": found.formula, "source": found.source, "error": found.error,
        "basis": found.basis,
    }  # fmt: skip


def import_(o: Namespace) -> int:
    """`import`: each file is read whole or refused whole, with a reason; in a folder, other files are passed over."""
    now, table, store = datetime.now(UTC), cl.load_table(o.pricing, o.home), _store(o)
    answers: list[shapes.Json] = []
    failed = False
    for given in o.paths:
        inside, some = Path(given).is_dir(), False
        for path in cl.files_in(given):
            answer: shapes.Json = {"path": str(path), "format": None, "runs": [], "merged_records": 0, "error": None}
            found, error = _imported(path, o, store)
            if found is not None:
                runs = [shapes.run_summary(run, table, o.at, now) for run in found.runs]
                answer |= {"format": found.format, "runs": runs, "merged_records": found.merged_records}
            passed_over = inside and isinstance(error, cl.NoRecording)
            answer["error"] = f"passed over: {error}" if passed_over else str(error) if error else None
            failed, some = failed or (error is not None and not passed_over), some or found is not None
            answers.append(answer)
            if not o.json:
                said = answer["error"] or f"{len(found.runs) if found else 0} run(s), {answer['format']}"
                print(f"{path}: {said}", file=sys.stderr if error else sys.stdout)
        if inside and not some:
            failed = True
            print(f"{given}: no recording in this folder", file=sys.stderr)
    if o.json:
        show_json(answers)
    return 1 if failed else 0


def _imported(path: Path, o: Namespace, store: cl.Store) -> tuple[cl.Imported | None, Exception | None]:
    try:
        return cl.import_file(path, format=o.form, store=store), None
    except (cl.CostLabError, OSError) as error:
        return None, error


def _store(o: Namespace) -> cl.Store:
    return cl.Store(Path(o.home) if o.home else None)


def runs(o: Namespace) -> int:
    """`runs`: built in ones first, then the user's."""
    now, table = datetime.now(UTC), cl.load_table(o.pricing, o.home)
    found = [shapes.run_summary(run, table, o.at, now) for run in _store(o).runs()]
    if o.json:
        show_json(found)
        return 0
    for run in found:
        sketched = "assumed" in run["usage_basis"]  # type: ignore[operator]
        unbilled = "a sketch: counts assumed" if sketched else "ran locally, not billed"
        money = f"${run['total_usd']}" if run["billed"] else unbilled
        print(f"{run['run_id']:44} {run['state']:11} {run['model_calls']:>4} calls  {money}  {str(run['task'])[:60]}")
    return 0


def show(o: Namespace) -> int:
    """`show`: one run with its steps, calls and tools."""
    now, table = datetime.now(UTC), cl.load_table(o.pricing, o.home)
    run = _store(o).open(o.run_id)
    steps = shapes.timeline(run, table, o.at, now)
    if o.json:
        show_json({**shapes.run_summary(run, table, o.at, now), "timeline": steps})
        return 0
    print(f"{run.run_id}: {(run.task or run.title or '')[:100]}\n{run.state}, {len(run.calls)} model calls")
    if run.bases != ("measured",):
        print(f"token counts: {', '.join(run.bases)}")
    for step in steps:
        for call in step["calls"]:  # type: ignore[attr-defined]
            used = call["counts"]
            print(
                f"  step {step['step']:>3} {step['kind']:12} {call['model'][:32]:32} "
                f"{used.get('input_tokens', 0):>8,} in {used.get('output_tokens', 0):>7,} out  ${call['total_usd']}"
            )
    return 0


def compare(o: Namespace) -> int:
    """`compare`: the recorded tokens of each run on each model's price list."""
    now, table = datetime.now(UTC), cl.load_table(o.pricing, o.home)
    names = [m.strip() for m in o.models.split(",") if m.strip()] if o.models else list(cl.default_models(table))
    store, answers = _store(o), []
    for run_id in o.run_ids:
        found = cl.compare(store.open(run_id), names, table, at=o.at, now=now, pricing=o.pricing)
        answers.append({"run_id": run_id, "models": [shapes.alternative(a) for a in found]})
        for a in () if o.json else sorted(found, key=lambda a: (not a.fits, a.cost.total)):
            mark = cl.usd(a.cost.total, lower_bound=a.lower_bound, free=a.cost.free)
            print(f"{run_id}  {a.name:44} {mark:>14}  {a.why_not}")
    if o.json:
        show_json({"runs": answers})
    return 0
