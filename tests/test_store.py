"""A recording as text: what is saved comes back, and what cannot be read is refused with file, line and field."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from run_samples import MONDAY, any_run, call, run

from costlab.errors import BadInput, TooLarge, UnknownUnit
from costlab.runs import Attempt, Media, ModelCall, Part, Run, Step, ToolCall
from costlab.store import content_of, dumps, events, read, write

HEADER: dict[str, Any] = {
    "event": "header", "format": "costlab.recording", "version": 1, "run": {"run_id": "r1", "task": "Add"},
}  # fmt: skip
STEP = {"event": "step_open", "step_id": "s1", "number": 1, "kind": "action"}
CALL = {"event": "call", "step_id": "s1", "call_id": "c1", "provider": "openai", "model": "gpt-5-mini",
        "counts": {"input_tokens": 10}}  # fmt: skip
END = {"event": "end", "state": "success"}


def recording(path: Path, *rows: object, torn: str = "") -> Path:
    """Write rows as the lines of a recording, then the rest of a line that was cut off."""
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("".join(f"{line}\n" for line in lines) + torn, encoding="utf-8")
    return path


def refused(path: Path) -> BadInput:
    """Return why a recording is refused."""
    with pytest.raises(BadInput) as caught:
        read(path)
    return caught.value


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(found=any_run)
def test_save_and_load_is_identity(found: Run, tmp_path: Path) -> None:
    write(found, tmp_path / "run.jsonl")
    assert read(tmp_path / "run.jsonl") == found


def test_what_is_written_can_be_read_by_eye(tmp_path: Path) -> None:
    note = content_of({"role": "user", "content": "Add 2 and 3"}, "message")
    found = run(
        "r1", call(messages=(note.sha256,), stated_cost=Decimal("0.0005")), contents={note.sha256: note}, answer="5"
    )  # fmt: skip
    write(found, tmp_path / "run.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text().splitlines()]
    assert [row["event"] for row in rows] == ["header", "content", "step_open", "call", "step", "end"]
    assert (rows[0]["format"], rows[0]["version"]) == ("costlab.recording", 1)
    assert rows[1]["value"] == {"role": "user", "content": "Add 2 and 3"}
    assert rows[3]["counts"] == {"input_tokens": 1000, "cache_read_tokens": 400, "output_tokens": 200}
    assert rows[3]["stated_cost"] == "0.0005"
    assert rows[3]["messages"] == [rows[1]["sha256"]]
    assert rows[5] == {"event": "end", "state": "success", "duration_s": None, "answer": "5"}


def test_a_message_is_stored_once_by_the_hash_of_its_canonical_json() -> None:
    one, same = content_of({"a": 1, "b": [2]}, "message"), content_of({"b": (2,), "a": 1}, "message")
    # printf '{"a":1,"b":[2]}' | sha256sum
    assert one.sha256 == same.sha256 == "0855bfc20eb6cfaa4be7d6b510c63dd22997718bddadcb1a4915cec3a16145b9"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"raw", object()])
def test_what_json_cannot_hold_is_refused_before_it_is_stored(value: object) -> None:
    with pytest.raises(BadInput, match="message: cannot be stored"):
        content_of({"content": value}, "message")


def test_half_of_a_surrogate_pair_survives(tmp_path: Path) -> None:
    odd = content_of({"content": "cut \ud83d here"}, "output")
    found = run("r1", contents={odd.sha256: odd}, answer="\ud83d")
    write(found, tmp_path / "run.jsonl")
    assert read(tmp_path / "run.jsonl") == found


def test_a_torn_last_line_is_left_out_and_said(tmp_path: Path) -> None:
    whole = dumps(END).decode()
    for cut in (1, len(whole) // 2, len(whole) - 2):
        found = read(recording(tmp_path / "r.jsonl", HEADER, STEP, CALL, torn=whole[:cut]))
        assert (found.state, len(found.calls)) == ("cut", 1)
        assert [(w.code, w.detail) for w in found.warnings] == [
            ("torn_line", "line 4 was cut off and is left out")
        ]  # fmt: skip


def test_a_whole_last_line_needs_no_line_end(tmp_path: Path) -> None:
    found = read(recording(tmp_path / "r.jsonl", HEADER, STEP, CALL, torn=json.dumps(END)))
    assert (found.state, found.warnings) == ("success", ())


def test_unknown_events_and_fields_are_left_out_and_events_noted_once(tmp_path: Path) -> None:
    new = {"event": "budget", "usd": 1}
    found = read(recording(tmp_path / "r.jsonl", HEADER, new, STEP, {**CALL, "mood": "good"}, new, END))
    assert [(w.code, w.detail) for w in found.warnings] == [
        ("unknown_event", "events of kind 'budget' are left out")
    ]  # fmt: skip
    assert len(found.calls) == 1


@pytest.mark.parametrize("version", [2, 0, -1, "1", None, True, 1.0])
def test_a_version_that_is_not_known_is_refused(tmp_path: Path, version: object) -> None:
    error = refused(recording(tmp_path / "r.jsonl", {**HEADER, "version": version}, END))
    assert (error.line, error.field) == (1, "version")
    assert "this CostLab reads up to 1" in str(error)


@pytest.mark.parametrize(
    ("rows", "line", "field", "problem"),
    [
        ([HEADER, "{not json", END], 2, None, "broken JSON"),
        ([HEADER, '{"event":"end","state":NaN}', END], 2, None, "NaN is not a number"),
        ([HEADER, '{"event":"end","duration_s":1e999}', END], 2, None, "past the largest number"),
        ([HEADER, "[1, 2]"], 2, "event", "must be an object"),
        ([HEADER, {"kind": "call"}], 2, "event", "must be an object with an 'event'"),
        ([END], 1, "event", "does not begin with the header"),
        ([{**HEADER, "format": "other"}], 1, "event", "does not begin with the header"),
        ([{**HEADER, "run": {}}], 1, "run_id", "is missing"),
        ([{**HEADER, "run": {"run_id": 7}}], 1, "run_id", "cannot be 7"),
        ([{**HEADER, "run": [1]}], 1, "run", "must be an object"),
        ([{**HEADER, "run": {"run_id": "r", "started_at": "soon"}}], 1, "started_at", "cannot be"),
        ([{**HEADER, "run": {"run_id": "r", "source": {"version": 1}}}], 1, "source", "cannot hold"),
        ([{**HEADER, "run": {"run_id": "r", "meta": {"a": {"$decimal": {}}}}}], 1, "meta", "must be a number"),
        ([{**HEADER, "run": {"run_id": "r", "meta": {"a": {"$decimal": "NaN"}}}}], 1, "meta", "must be a number"),
        ([{**HEADER, "run": {"run_id": "r", "meta": {"a": {"$object": 1}}}}], 1, "meta", "must hold an object"),
        ([HEADER, CALL], 2, "step_id", "step 's1' was never opened"),
        ([HEADER, STEP, {**CALL, "provider": None}], 3, "provider", "cannot be null"),
        ([HEADER, STEP, {k: v for k, v in CALL.items() if k != "model"}], 3, "model", "is missing"),
        ([HEADER, STEP, {**CALL, "counts": {"input_tokens": -1}}], 3, "counts.input_tokens", "between 0 and 10^15"),
        ([HEADER, STEP, {**CALL, "counts": {"input_tokens": "ten"}}], 3, "counts.input_tokens", "must be a number"),
        ([HEADER, STEP, {**CALL, "counts": {"input_tokens": True}}], 3, "counts.input_tokens", "must be a number"),
        ([HEADER, STEP, {**CALL, "counts": [1]}], 3, "counts", "cannot be [1]"),
        ([HEADER, STEP, {**CALL, "messages": ["a", 1]}], 3, "messages", 'cannot hold ["a", 1]'),
        ([HEADER, STEP, {**CALL, "media": ["a"]}], 3, "media", "must be an object"),
        ([HEADER, STEP, {**CALL, "media": [{"kind": "image", "width": "wide"}]}], 3, "width", 'cannot be "wide"'),
        ([HEADER, STEP, {**CALL, "usage_basis": "guessed"}], 3, "usage_basis", 'cannot be "guessed"'),
        ([HEADER, STEP, {**CALL, "status": "fine"}], 3, "status", 'cannot be "fine"'),
        ([HEADER, STEP, {**CALL, "stated_cost": "cheap"}], 3, "stated_cost", "must be a number written as text"),
        ([HEADER, STEP, {**CALL, "duration_s": True}], 3, "duration_s", "cannot be true"),
        ([HEADER, STEP, CALL, CALL], 4, "call_id", "there is a call 'c1' already"),
        ([HEADER, STEP, {"event": "attempt", "call_id": "c9"}], 3, "call_id", "call 'c9' is not open"),
        ([HEADER, STEP, {"event": "tool", "step_id": "s1"}], 3, "name", "is missing"),
        ([HEADER, {"event": "content", "sha256": "ab", "kind": "message"}], 2, "value", "is missing"),
        ([HEADER, {"event": "end", "state": "good"}], 2, "state", 'cannot be "good"'),
        ([HEADER, END, {"event": "amend", "correct": "yes"}], 3, "correct", 'cannot be "yes"'),
    ],
)  # fmt: skip
def test_a_bad_line_is_named(tmp_path: Path, rows: list[object], line: int, field: str | None, problem: str) -> None:
    path = recording(tmp_path / "r.jsonl", *rows)
    error = refused(path)
    assert (error.file, error.line, error.field) == (str(path), line, field)
    assert problem in str(error)


def test_an_unknown_unit_is_named(tmp_path: Path) -> None:
    error = refused(recording(tmp_path / "r.jsonl", HEADER, STEP, {**CALL, "counts": {"thoughts": 5}}))
    assert isinstance(error, UnknownUnit)
    assert (error.line, error.field) == (3, "counts.thoughts")


def test_a_deep_line_is_refused_also_where_it_is_the_last(tmp_path: Path) -> None:
    deep = '{"event":"content","sha256":"a","kind":"m","value":' + "[" * 400 + "]" * 400 + "}"
    for path in (
        recording(tmp_path / "a.jsonl", HEADER, deep, END),
        recording(tmp_path / "b.jsonl", HEADER, torn=deep),
    ):
        error = refused(path)
        assert isinstance(error, TooLarge)
        assert (error.line, error.problem) == (2, "nested more than 300 deep")


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.jsonl"
    with path.open("wb") as out:
        out.truncate(256 * 2**20 + 1)  # a hole: it takes no room on the disk
    assert isinstance(refused(path), TooLarge)


def test_bytes_that_are_no_text_are_named_by_line(tmp_path: Path) -> None:
    path = recording(tmp_path / "r.jsonl", HEADER)
    path.write_bytes(path.read_bytes() + b'{"event":"\xff"}\n')
    assert (refused(path).line, refused(path).problem) == (2, "not UTF-8 text")


def test_an_empty_file_is_no_recording(tmp_path: Path) -> None:
    assert "is empty" in str(refused(recording(tmp_path / "r.jsonl")))


@pytest.mark.parametrize(
    ("counts", "field"),
    [({"input_tokens": -1}, "counts.input_tokens"), ({"input_tokens": "5"}, "counts.input_tokens"),
     ({"tokens": 5}, "counts.tokens"), ({"input_tokens": float("nan")}, "counts.input_tokens")],
)  # fmt: skip
def test_a_run_that_could_not_be_read_again_is_not_written(tmp_path: Path, counts: Any, field: str) -> None:
    with pytest.raises(BadInput) as caught:
        write(run("r1", call(counts=counts)), tmp_path / "r.jsonl")
    assert caught.value.field == field
    assert list(tmp_path.iterdir()) == []


def test_two_calls_of_one_id_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="two calls 'c1'"):
        write(run("r1", call("c1"), call("c1")), tmp_path / "r.jsonl")


def test_counts_are_never_binary_fractions(tmp_path: Path) -> None:
    found = read(recording(tmp_path / "r.jsonl", HEADER, STEP, {**CALL, "counts": {"input_audio_seconds": 0.1}}, END))
    assert found.calls[0].counts == {"input_audio_seconds": Decimal("0.1")}


def test_a_time_without_an_offset_is_utc(tmp_path: Path) -> None:
    row = {**CALL, "started_at": "2026-11-23T12:00:00"}
    assert read(recording(tmp_path / "r.jsonl", HEADER, STEP, row, END)).calls[0].started_at == MONDAY


def test_inheritance_is_never_taken_from_a_file(tmp_path: Path) -> None:
    row = {**CALL, "inherited_from": "another"}  # else a file could hide what its calls cost
    assert read(recording(tmp_path / "r.jsonl", HEADER, STEP, row, END)).calls[0].inherited_from is None


def test_an_opened_call_keeps_its_place_and_its_attempts(tmp_path: Path) -> None:
    opened = {**CALL, "event": "call_open", "counts": {}}
    found = read(
        recording(
            tmp_path / "r.jsonl", HEADER, STEP, opened, {**opened, "call_id": "c2"},
            {"event": "attempt", "call_id": "c1", "status": 429, "error": "slow down", "billed": "no"},
            {"event": "attempt", "call_id": "c1", "status": 200},
            {**CALL, "call_id": "c2", "counts": {"input_tokens": 20}}, CALL, END,
        )
    )  # fmt: skip
    assert [(c.call_id, dict(c.counts)) for c in found.calls] == [
        ("c1", {"input_tokens": 10}), ("c2", {"input_tokens": 20}),
    ]  # fmt: skip
    assert found.calls[0].attempts == (Attempt(status=429, error="slow down", billed="no"), Attempt(status=200))
    assert [c.bounds for c in found.calls] == [(), ()]


def test_an_open_call_of_a_dead_run_is_cut_and_a_lower_bound(tmp_path: Path) -> None:
    opened = {**CALL, "event": "call_open"}
    found = read(recording(tmp_path / "r.jsonl", HEADER, STEP, opened, {**opened, "call_id": "c2", "counts": {}}))
    assert found.state == "cut"
    assert [(c.status, c.usage_basis, c.bounds) for c in found.calls] == [
        ("cut", "measured", ("cut",)), ("cut", "unknown", ("cut",)),
    ]  # fmt: skip


def test_later_facts_win_over_the_header_and_each_other(tmp_path: Path) -> None:
    head = {**HEADER, "run": {"run_id": "r1", "title": "First", "correct": False}}
    later = [{"event": "amend", "title": "Second"}, {"event": "amend", "correct": True}, {"event": "amend"}]
    found = read(recording(tmp_path / "r.jsonl", head, END, *later))
    assert (found.title, found.correct, found.state) == ("Second", True, "success")


def test_a_copy_of_a_running_run_is_cut(tmp_path: Path) -> None:
    """Nobody will append to a copy: it must not run for ever."""
    found = run("r1", call(status="running", bounds=("cut",)), state="running")
    write(found, tmp_path / "r.jsonl")
    copy = read(tmp_path / "r.jsonl")
    assert (copy.state, copy.calls[0].status, copy.calls[0].bounds) == ("cut", "cut", ("cut",))


def test_every_field_of_a_run_reaches_the_file(tmp_path: Path) -> None:
    """A new field of a dataclass that is forgotten in the format would fail here: this run sets them all."""
    full = ModelCall(
        "c1", "anthropic", "claude-sonnet-5", {"input_tokens": 5}, "counted", "sonnet", "messages", "priority", "auto",
        "bedrock", "eu", {"speed": "fast"}, {"input_tokens": 5, "odd": Decimal("1.5")}, {"x": 1}, {"web_search": 2},
        Decimal("0.01"), (Part("anthropic", "claude-haiku-4-5", {"input_tokens": 5}, "standard"),), MONDAY, 1.5, 0.5,
        "error", "broke", (Attempt(MONDAY, 500, "broke", "req", {"a": 1}, "no"),), ("m",), ("t",), ("o",), "any", (3,),
        100, ("\n",), (Media("image", 640, 480, None, None, "high", "hash"),), "msg_1", None,
        ("unmetered:web_searches",),
    )  # fmt: skip
    tool = ToolCall("price_of", "t1", "error", "no such fruit", MONDAY, 0.1, "c1", {"web_searches": 1})
    found = run("r1", steps=(Step("s1", 1, "planning", "a0", "s0", MONDAY, 2.0, "late", (full,), (tool,)),))
    write(found, tmp_path / "r.jsonl")
    assert read(tmp_path / "r.jsonl") == found
    assert [row["event"] for row in events(found)] == ["header", "step_open", "call", "tool", "step", "end"]
