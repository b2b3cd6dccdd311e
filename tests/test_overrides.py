"""The user's own prices on disk: no edit is lost unsaid, a kill leaves a whole file, a bad file changes nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest
from conftest import ROOT

import costlab as cl
from costlab.catalog import overrides
from costlab.catalog.rows import COLUMNS
from costlab.errors import Conflict, TooLarge

HEAD = "provider,model,unit,price\n"
GOOD = f"{HEAD}openai,gpt-x,input_tokens,2\n"


def row(model: str, price: str = "2") -> cl.Rate:
    return cl.Rate("openai", model, "input_tokens", Decimal(price), 1_000_000, source="user", layer="overrides")


def held(home: Path) -> dict[str, Decimal | None]:
    """Return price by model in the user's file."""
    return {r.model: r.price for r in cl.read_overrides(home).rows}


def child(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Start Python on lines of code, at the project's root."""
    words = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


# ---- two sessions

SESSION = """
import sys
from decimal import Decimal
import costlab as cl
from costlab.errors import Conflict
home, model = sys.argv[1:]
mine = cl.Rate("openai", model, "input_tokens", Decimal(3), 1_000_000, source="user", layer="overrides")
while True:
    begun = cl.read_overrides(home)
    print("read", flush=True)
    sys.stdin.readline()
    try:
        cl.save_overrides([*begun.rows, mine], home=home, expected_version=begun.version)
    except Conflict as problem:
        print(problem, flush=True)
        continue
    print("saved", flush=True)
    break
"""


def test_of_two_sessions_that_save_at_once_the_later_is_told_and_neither_edit_is_lost(tmp_path: Path) -> None:
    cl.save_overrides([row("before")], home=tmp_path)
    sessions = [child(SESSION, tmp_path, name) for name in ("one", "two", "three")]
    waiting = sessions
    conflicts = 0
    while waiting:
        for one in waiting:
            assert one.stdin is not None
            assert one.stdout is not None
            assert one.stdout.readline() == "read\n"
        for one in waiting:  # all have read the same file; now all save
            print(file=one.stdin, flush=True)
        said = [one.stdout.readline() for one in waiting if one.stdout]
        assert said.count("saved\n") == 1, said
        assert all("was changed by another session" in line for line in said if line != "saved\n")
        conflicts += len(said) - 1
        waiting = [one for one, line in zip(waiting, said, strict=True) if line != "saved\n"]
    for one in sessions:
        one.communicate()
    assert conflicts == 2 + 1  # two lose to the first, one to the second
    assert held(tmp_path) == {"before": 2, "one": 3, "two": 3, "three": 3}


def test_a_session_that_saw_no_file_does_not_write_over_one(tmp_path: Path) -> None:
    began = cl.read_overrides(tmp_path).version
    cl.save_overrides([row("theirs")], home=tmp_path)
    with pytest.raises(Conflict, match=r"overrides.csv was changed by another session since it was read; nothing"):
        cl.save_overrides([row("mine")], home=tmp_path, expected_version=began)
    assert held(tmp_path) == {"theirs": 2}


# ---- a kill

SAVES = """
import sys
from decimal import Decimal
import costlab as cl
home, number = sys.argv[1], int(sys.argv[2])
turn = 0
while True:
    price = Decimal(turn % 7)
    rows = [cl.Rate("openai", f"m{n}", "input_tokens", price, 1_000_000, layer="overrides") for n in range(number)]
    cl.save_overrides(rows, home=home)
    if not turn:
        print("ready", flush=True)
    turn += 1
"""


def test_a_kill_while_saving_leaves_the_old_or_the_new_file(tmp_path: Path) -> None:
    for turn in range(6):
        writer = child(SAVES, tmp_path, 400)
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        time.sleep(0.013 * turn)
        writer.kill()  # SIGKILL: nothing of it runs any more
        writer.communicate()
        prices = held(tmp_path)
        assert len(prices) == 400
        assert len(set(prices.values())) == 1, "of two saves"
    began = cl.read_overrides(tmp_path)
    cl.save_overrides([row("after")], home=tmp_path, expected_version=began.version)  # no lock is left behind
    assert held(tmp_path) == {"after": 2}


# ---- bad files


@pytest.mark.parametrize(
    ("line", "field", "said"),
    [
        ("openai,gpt-x,input_tokens,-1", "price", "between 0 and 10^9"),
        ("openai,gpt-x,input_tokens,two", "price", "must be a number, not 'two'"),
        ('openai,gpt-x,input_tokens,"1,25"', "price", "must be a number, not '1,25'"),
        ("openai,gpt-x,input_tokens,NaN", "price", "between 0 and 10^9"),
        ("openai,gpt-x,input_tokens,Infinity", "price", "between 0 and 10^9"),
        ("openai,gpt-x,input_tokens,1e400", "price", "between 0 and 10^9"),
        ("openai,gpt-x,stones,1", "unit", "stones"),
        (",gpt-x,input_tokens,1", "provider", "must not be empty"),
        ("openai,,input_tokens,1", "model", "must not be empty"),
        ("openai,gpt-x,input_tokens,1,2", None, "has 5 cells, the header 4"),
        ('openai,gpt-x,input_tokens,"1', None, "not CSV"),
        ("openai,gpt-x,input_tokens," + "9" * 200_000, None, "not CSV"),
        ("=cmd|'/c calc'!A1,gpt-x,=1+1,1", "unit", "=1+1"),
    ],
)
def test_a_bad_row_is_named_and_the_file_in_use_stays(tmp_path: Path, line: str, field: str | None, said: str) -> None:
    cl.save_overrides([row("kept")], home=tmp_path)
    before = (tmp_path / "overrides.csv").read_bytes()
    with pytest.raises(cl.BadInput) as caught:
        cl.parse_prices(f"{GOOD}{line}\n".encode(), "mine.csv")
    problem = caught.value
    assert (problem.file, problem.line, problem.field) == ("mine.csv", 3, field)
    assert said in problem.problem
    assert len(str(problem)) < 300
    assert (tmp_path / "overrides.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("data", "line", "said"),
    [
        (b"", 1, "is empty"),
        (b"a,b\n1,2\n", 1, "not the columns of a price file"),
        (GOOD.encode() + b"openai,\xff,input_tokens,1\n", 3, "not UTF-8"),
        (b"PK\x03\x04\x00\x00", 1, "not the columns of a price file"),
    ],
)
def test_what_is_no_price_file_is_refused(data: bytes, line: int, said: str) -> None:
    with pytest.raises(cl.BadInput, match=said) as caught:
        cl.parse_prices(data, "mine.csv")
    assert (caught.value.file, caught.value.line) == ("mine.csv", line)


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "overrides.csv").open("wb") as out:
        out.write(HEAD.encode())
        out.truncate(overrides.MAX_BYTES * 2 + 1)  # a hole: no disk is used
    for read in (lambda: cl.read_overrides(tmp_path), lambda: cl.load_table(home=tmp_path)):
        with pytest.raises(TooLarge, match=r"overrides.csv: has more than \d+ bytes"):
            read()
    with pytest.raises(TooLarge, match=r"mine.csv: has more than"):
        cl.parse_prices(bytes(overrides.MAX_BYTES + 1), "mine.csv")


@pytest.mark.parametrize("price", ["-1", "NaN", "1e10"])
def test_rows_that_could_not_be_read_again_are_not_written(tmp_path: Path, price: str) -> None:
    cl.save_overrides([row("kept")], home=tmp_path)
    with pytest.raises(cl.BadInput, match=r"overrides.csv, line 2, price: "):
        cl.save_overrides([row("bad", price)], home=tmp_path)
    assert held(tmp_path) == {"kept": 2}


def test_a_bad_file_in_use_is_named_by_everything_that_reads_it(tmp_path: Path) -> None:
    (tmp_path / "overrides.csv").write_text(f"{GOOD}openai,gpt-x,output_tokens,free\n", encoding="utf-8")
    place = r"overrides.csv, line 3, price: a price must be a number, not 'free'"
    for read in (lambda: cl.read_overrides(tmp_path), lambda: cl.load_table(home=tmp_path)):
        with pytest.raises(cl.BadInput, match=place):
            read()
    assert len(cl.parse_prices(GOOD.encode(), "mine.csv")) == 1
    assert COLUMNS[:4] == ("provider", "model", "unit", "price")
