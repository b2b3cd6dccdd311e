"""`price`: one answer for each record, in order, with every field of the contract; what cannot be read is named."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from command_line import Cli, jsonl, process

COUNTS = {"input_tokens": 10_000, "cache_read_tokens": 8_000, "output_tokens": 1_000, "web_searches": 2}
CALL = {"provider": "openai", "model": "gpt-x", "counts": COUNTS}
FIELDS = {
    "id", "resolved", "counts", "usage_basis", "leaves", "total_usd", "lower_bound", "bounds", "total_usd_today",
    "lower_bound_today", "unpriced", "unpriced_why", "stated_usd", "warnings", "lines", "error",
}  # fmt: skip


def line(unit: str, quantity: int, price: str, usd: str, **more: object) -> dict[str, Any]:
    """A line of gpt-x in the small folder of prices."""
    return {
        "provider": "openai", "model": "gpt-x", "unit": unit, "quantity": quantity, "usd_per_unit": price, "usd": usd,
        "priced_as": None, "when": {}, "source": "test", "source_version": "1", "valid_from": None,
        "read_at": "2026-02-01", "date_unproven": False, **more,
    }  # fmt: skip


def test_every_field_of_an_answer(cli: Cli, tmp_path: Path) -> None:
    done = cli("price", "--jsonl", jsonl(tmp_path / "in.jsonl", {"id": "a", "at": "2026-03-01", **CALL}))
    assert (done.code, done.err) == (0, "")
    assert done.rows == [
        {
            "id": "a",
            "resolved": {"provider": "openai", "model": "gpt-x", "by": "exact"},
            "counts": COUNTS,
            "usage_basis": "measured",
            "leaves": {"input_tokens": 2_000, "cache_read_tokens": 8_000, "output_tokens": 1_000, "web_searches": 2},
            # 2,000 x 2 + 8,000 x 0.2 + 1,000 x 8 USD a million, and 2 searches at 10 USD a thousand
            "total_usd": "0.0336",
            "lower_bound": False,
            "bounds": [],
            "total_usd_today": "0.0356",  # today 2,000 x 3: 0.002 more
            "lower_bound_today": False,
            "unpriced": [],
            "unpriced_why": None,
            "stated_usd": None,
            "warnings": [],
            "lines": [
                line("input_tokens", 2_000, "0.000002", "0.004"),
                line("cache_read_tokens", 8_000, "0.0000002", "0.0016"),
                line("output_tokens", 1_000, "0.000008", "0.008"),
                line("web_searches", 2, "0.01", "0.02"),
            ],
            "error": None,
        }
    ]


def test_answers_come_in_order_and_a_bad_line_spoils_no_other(cli: Cli, tmp_path: Path) -> None:
    rows = (
        {"id": 1, **CALL},
        "",
        "{broken",
        "[1, 2]",
        {"id": "negative", **CALL, "counts": {"input_tokens": -1}},
        {"id": "text", **CALL, "counts": {"input_tokens": "ten"}},
        {"id": "unit", **CALL, "counts": {"thoughts": 5}},
        {"id": "none", "provider": "openai", "model": "gpt-x"},
        {"id": "both", **CALL, "usage": {"prompt_tokens": 1}},
        {"id": "when", **CALL, "when": {"mood": "good"}},
        {"id": "at", **CALL, "at": "soon"},
        '{"id": "nan", "model": "gpt-x", "counts": {"input_tokens": NaN}}',
        "[" * 500 + "]" * 500,
        {"id": {"any": "thing"}, **CALL},
    )
    path = jsonl(tmp_path / "in.jsonl", *rows)
    done = cli("price", "--jsonl", path)
    assert (done.code, done.err) == (1, "")
    told = [(row["id"], (row["error"] or "").removeprefix(f"{path}, ")) for row in done.rows]
    assert told == [
        (1, ""),
        (None, "line 3: broken JSON: Expecting property name enclosed in double quotes"),
        (None, "line 4: must be an object, not list"),
        ("negative", "line 5, input_tokens: a count must be between 0 and 10^15, not -1"),
        ("text", "line 6, input_tokens: a count must be a number, not 'ten'"),
        ("unit", "line 7, thoughts: unknown unit 'thoughts'"),
        ("none", "line 8, usage: one of response, usage or counts is needed, not none"),
        ("both", "line 9, usage: one of response, usage or counts is needed, not usage and counts"),
        ("when", told[8][1]),
        ("at", "line 11, at: not a date or timestamp: 'soon'"),
        (None, "line 12: broken JSON: NaN is not a number"),
        (None, "line 13: nested more than 200 deep"),
        ({"any": "thing"}, ""),
    ]
    assert told[8][1].startswith("line 10, when: unknown condition 'mood'; known: service_tier, processing")
    assert all(set(row) == FIELDS for row in done.rows), "a refused line has the fields of an answer"
    assert {row["total_usd"] for row in done.rows if row["error"]} == {None}


@pytest.mark.parametrize(
    "name", [{"provider": "openai", "model": "gpt-9"}, {"provider": "nobody", "model": "gpt-x"}, {"model": "gpt-9"}]
)
def test_an_unknown_model_is_no_error(cli: Cli, tmp_path: Path, name: dict[str, str]) -> None:
    done = cli("price", "--jsonl", jsonl(tmp_path / "in.jsonl", {"id": "a", **name, "counts": COUNTS}))
    (answer,) = done.rows
    assert (done.code, answer["error"], answer["total_usd"], answer["lower_bound"]) == (0, None, "0", True)
    assert answer["unpriced"] == ["input_tokens", "cache_read_tokens", "output_tokens", "web_searches"]
    assert answer["unpriced_why"].startswith("no model '")
    assert answer["leaves"]["input_tokens"] == 2_000
    assert answer["bounds"][0] == {"reason": "unpriced", "call": "a", "unit": "input_tokens"}


def test_a_unit_without_a_rate_is_named_and_the_rest_is_priced(cli: Cli, tmp_path: Path) -> None:
    asked = {"provider": "openai", "model": "half-x", "counts": {"input_tokens": 1_000, "output_tokens": 10}}
    (answer,) = cli("price", "--jsonl", jsonl(tmp_path / "in.jsonl", asked)).rows
    assert (answer["total_usd"], answer["lower_bound"], answer["unpriced"]) == ("0.0005", True, ["output_tokens"])


@pytest.mark.parametrize(
    ("more", "usd"),
    [
        # 1,000 tokens in at 2, 100 out at 8 USD a million; 400 of those in are cached at 0.2 where usage says so
        ({"counts": {"input_tokens": 1_000, "output_tokens": 100}}, "0.0028"),
        ({"usage": {"prompt_tokens": 1_000, "completion_tokens": 100,
                    "prompt_tokens_details": {"cached_tokens": 400}}}, "0.00208"),
        ({"response": {"model": "gpt-x", "usage": {"input_tokens": 1_000, "output_tokens": 100}}, "api": "responses"},
         "0.0028"),
        ({"usage": {"prompt_tokens": 1_000, "completion_tokens": 100}, "billable_items": {"web_search_call": 2}},
         "0.0228"),
        ({"counts": {"input_tokens": 1_000, "output_tokens": 100}, "when": {"processing": "batch"}}, "0.001"),
        ({"counts": {"input_tokens": 1_000, "output_tokens": 100}, "service_tier": "priority"}, "0.0036"),
        ({"counts": {"input_tokens": 1_000, "output_tokens": 100}, "at": "2026-07-01T00:00:00Z"}, "0.0038"),
    ],
)  # fmt: skip
def test_what_a_record_may_say(cli: Cli, tmp_path: Path, more: dict[str, object], usd: str) -> None:
    asked = {"provider": "openai", "model": "gpt-x", "at": "2026-03-01", **more}
    (answer,) = cli("price", "--jsonl", jsonl(tmp_path / "in.jsonl", asked)).rows
    assert (answer["error"], answer["total_usd"]) == (None, usd)


def test_a_streamed_answer_of_anthropic(cli: Cli, tmp_path: Path) -> None:
    asked = {
        "provider": "anthropic", "model": "claude-x", "at": "2026-03-01", "usage": {"output_tokens": 200},
        "usage_message_start": {"input_tokens": 100, "cache_read_input_tokens": 900, "output_tokens": 1},
    }  # fmt: skip
    (answer,) = cli("price", "--jsonl", jsonl(tmp_path / "in.jsonl", asked)).rows
    assert answer["counts"] == {"input_tokens": 1_000, "cache_read_tokens": 900, "output_tokens": 200}
    assert answer["total_usd"] == "0.00357"  # 100 x 3 + 900 x 0.3 + 200 x 15 USD a million


def test_a_provider_s_own_figure_is_shown_and_never_used(cli: Cli, tmp_path: Path) -> None:
    asked = {
        "provider": "openrouter",
        "model": "gpt-9",
        "usage": {"prompt_tokens": 10, "completion_tokens": 1, "cost": 0.5},
    }
    (answer,) = cli("price", "--jsonl", jsonl(tmp_path / "in.jsonl", asked)).rows
    assert (answer["stated_usd"], answer["total_usd"]) == ("0.5", "0")


@pytest.mark.parametrize(
    ("at", "usd"), [("call", "0.002"), ("today", "0.003"), ("2026-06-30", "0.002"), ("2026-07-01", "0.003")]
)
def test_prices_of_which_day(cli: Cli, tmp_path: Path, at: str, usd: str) -> None:
    asked = {"provider": "openai", "model": "gpt-x", "counts": {"input_tokens": 1_000}, "at": "2026-03-01"}
    (answer,) = cli("price", "--at", at, "--jsonl", jsonl(tmp_path / "in.jsonl", asked)).rows
    assert (answer["total_usd"], answer["total_usd_today"]) == (usd, "0.003")


def test_without_a_date_it_is_today(cli: Cli, tmp_path: Path) -> None:
    asked = {"provider": "openai", "model": "gpt-x", "counts": {"input_tokens": 1_000}}
    (answer,) = cli("price", "--jsonl", jsonl(tmp_path / "in.jsonl", asked)).rows
    assert answer["total_usd"] == answer["total_usd_today"] == "0.003"


def test_one_call_gives_the_same_object(cli: Cli, tmp_path: Path) -> None:
    one = cli("price", "--provider", "openai", "--model", "gpt-x", "--counts", json.dumps(COUNTS), "--json")
    (listed,) = cli("price", "--jsonl", jsonl(tmp_path / "in.jsonl", CALL)).rows
    assert (one.code, one.err) == (0, "")
    assert one.json == listed


def test_one_call_as_text(cli: Cli) -> None:
    done = cli("price", "--model", "gpt-x", "--counts", json.dumps(COUNTS), "--at", "2026-03-01")
    assert done.out.splitlines() == [
        "openai/gpt-x  $0.0336",
        "  input tokens       2,000         $2.00 / 1M tokens  $0.0040  test 1, read 2026-02-01",
        "  cache read tokens  8,000         $0.20 / 1M tokens  $0.0016  test 1, read 2026-02-01",
        "  output tokens      1,000         $8.00 / 1M tokens  $0.0080  test 1, read 2026-02-01",
        "  web searches           2  $10.00 / 1k web searches  $0.0200  test 1, read 2026-02-01",
        "  at today's prices: $0.0356",
    ]


def test_what_has_no_price_is_no_zero_as_text(cli: Cli) -> None:
    done = cli(
        "price", "--provider", "openai", "--model", "half-x", "--counts", '{"input_tokens": 100, "output_tokens": 9}'
    )
    assert done.out.splitlines() == [
        "openai/half-x  ≥ $0.00005",  # 100 x 0.5 USD a million
        "  input tokens   100  $0.50 / 1M tokens  $0.00005  test 1, read 2026-02-01",
        "  output tokens    9                     unpriced",
        "  lower bound: no price is known for a part",
        "  no rate for output_tokens",
    ]
    unknown = cli("price", "--model", "gpt-9", "--counts", '{"input_tokens": 100}')
    assert unknown.out.startswith("gpt-9  unpriced\n")


def test_one_call_that_cannot_be_read(cli: Cli) -> None:
    for words in ((), ("--json",)):
        done = cli("price", "--model", "gpt-x", "--counts", '{"input_tokens": -1}', *words)
        assert done.code == 1
        assert done.problem() == "costlab: input_tokens: a count must be between 0 and 10^15, not -1"
    assert done.json["error"] == "input_tokens: a count must be between 0 and 10^15, not -1"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "price needs --jsonl FILE, or --model and --counts"),
        (("--model", "gpt-x"), "price needs --jsonl FILE, or --model and --counts"),
        (("--model", "gpt-x", "--counts", "{"), "--counts is not JSON"),
        (("--model", "gpt-x", "--jsonl", "-"), "not both"),
        (("--jsonl", "nowhere.jsonl"), "nowhere.jsonl: cannot be read: No such file or directory"),
        (("--jsonl", "."), ".: cannot be read: "),
        (("--model", "gpt-x", "--counts", "{}", "--at", "nonsense"), "--at: must be call, today or a date"),
        (("--model", "gpt-x", "--counts", "{}", "--at", "2026-02-30"), "--at: must be call, today or a date"),
        (("--model", "gpt-x", "--counts", "{}", "--at", "0001-01-01T00:00+14:00"), "--at: must be call, today or a"),
        (("--mod", "gpt-x", "--counts", "{}"), "unrecognized arguments: --mod gpt-x"),
    ],
)  # fmt: skip
def test_wrong_use(cli: Cli, words: tuple[str, ...], why: str) -> None:
    done = cli("price", *words)
    assert (done.code, done.out) == (2, "")
    assert why in done.problem()


def test_from_stdin_in_a_process_of_its_own(home: Path) -> None:
    rows = [{"id": n, "provider": "openai", "model": "gpt-5", "counts": {"output_tokens": n}} for n in range(300)]
    text = "\n".join(map(json.dumps, rows)) + '\n{"id": "\\ud800 ü 模", "model": "gpt-5", "counts": {}}'  # no line end
    done = process("price", "--jsonl", "-", "--json", stdin=text, home=home, env={"PYTHONIOENCODING": "latin-1"})
    assert (done.code, done.err) == (0, "")
    assert [row["id"] for row in done.rows] == [*range(300), "\ud800 ü 模"]  # half of a pair survives as an escape
    assert [Decimal(row["total_usd"]) for row in done.rows[:300]] == [n * Decimal("0.00001") for n in range(300)]


def test_all_recorded_responses_in_one_go(shared: Path, home: Path) -> None:
    """Every line is answered in its place; leaves add up to the inclusive totals, and lines to the cost."""
    path = shared / "data" / "responses.jsonl"
    asked = [json.loads(row) for row in path.read_text(encoding="utf-8").splitlines()]
    done = process("price", "--jsonl", path, home=home)
    assert done.code in (0, 1), done.err
    assert done.err == ""
    answers = done.rows
    assert [row["id"] for row in answers] == [row["id"] for row in asked]
    assert (done.code == 1) == any(row["error"] for row in answers)
    read = [row for row in answers if row["error"] is None]
    assert len(read) >= 0.99 * len(asked)
    for row in read:
        sides = {"input": 0.0, "output": 0.0}
        for unit, n in row["leaves"].items():
            assert n > 0, row["id"]
            if unit.endswith("_tokens"):
                sides["output" if unit.startswith("output") else "input"] += n
        for side, n in sides.items():
            assert math.isclose(n, row["counts"].get(f"{side}_tokens", 0), abs_tol=0.5), (row["id"], side)
        assert Decimal(row["total_usd"]) == sum((Decimal(x["usd"]) for x in row["lines"]), Decimal(0)), row["id"]
        priced = {x["unit"] for x in row["lines"]} | set(row["unpriced"])
        assert priced - {"requests"} == set(row["leaves"]) - {"requests"}, row["id"]
        assert row["lower_bound"] == bool(row["bounds"])
        assert set(row) == FIELDS
