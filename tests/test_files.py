"""Files: written whole or not at all, locked against others, read within bounds."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costlab.errors import BadInput, CostLabError, TooLarge
from costlab.files import (
    home,
    json_lines,
    json_records,
    locked,
    parse_json,
    read_bounded,
    shipped,
    too_deep,
    write_all,
    write_atomic,
)

ROOT = Path(__file__).resolve().parent.parent
posix = pytest.mark.skipif(os.name == "nt", reason="needs POSIX")


def child(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Start Python on lines of code, at the project's root."""
    words = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_home_is_named_or_set_or_the_platforms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSTLAB_HOME", str(tmp_path / "set"))
    assert home(tmp_path / "named") == tmp_path / "named"
    assert home() == tmp_path / "set"
    monkeypatch.delenv("COSTLAB_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert home().name == "costlab"


def test_shipped_data_stands_beside_the_package() -> None:
    assert (shipped("pricing") / "catalog.csv").is_file()


def test_a_file_is_replaced_whole_and_leaves_no_rest(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    write_atomic(path, b"one")
    write_atomic(path, b"two")
    assert path.read_bytes() == b"two"
    assert os.listdir(path.parent) == ["a.txt"]


def test_of_several_files_none_is_written_where_one_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    with pytest.raises(CostLabError, match="cannot write"):
        write_all({tmp_path / "a.txt": b"new", tmp_path / "taken" / "b.txt": b"new"})
    assert os.listdir(tmp_path) == ["taken"]


WRITES = """
import sys
from pathlib import Path
from costlab.files import write_atomic
path, size = Path(sys.argv[1]), int(sys.argv[2])
write_atomic(path, b"0" * size)
print("ready", flush=True)
turn = 0
while True:
    turn += 1
    write_atomic(path, b"%d" % (turn % 10) * size)
"""


@posix
def test_a_writer_killed_at_any_moment_leaves_one_whole_file(tmp_path: Path) -> None:
    path, size = tmp_path / "a.bin", 300_000
    for turn in range(12):
        writer = child(WRITES, path, size)
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        time.sleep(0.003 * turn)
        writer.kill()
        writer.communicate()
        found = path.read_bytes()
        assert len(found) == size
        assert len(set(found)) == 1, "of two writes"


HOLDS = """
import sys
from pathlib import Path
from costlab.files import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_a_lock_holds_against_another_process_and_ends_with_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / ".lock"
    holder = child(HOLDS, path)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(CostLabError, match=r"another CostLab has held .* for more than 0.2 seconds"), locked(path, 0.2):
        pass
    holder.kill()
    holder.communicate()
    with locked(path, 5):
        pass


def test_a_lock_holds_against_another_thread(tmp_path: Path) -> None:
    seen, total = [0], 4 * 50

    def add() -> None:
        for _ in range(50):
            with locked(tmp_path / ".lock"):
                before = seen[0]
                time.sleep(0)  # where the others would come in between
                seen[0] = before + 1

    threads = [threading.Thread(target=add) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert seen == [total]


def test_a_lock_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(CostLabError, match="cannot write"), locked(tmp_path / "taken" / ".lock"):
        pass


def test_reading_has_a_bound_and_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert read_bounded(path, 5) == b"12345"
    with pytest.raises(TooLarge, match=r"has more than 4 bytes"):
        read_bounded(path, 4)
    with pytest.raises(BadInput, match=r"missing: cannot be read: No such file"):
        read_bounded(tmp_path / "missing")
    with pytest.raises(BadInput, match=r"cannot be read"):
        read_bounded(tmp_path)


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("", 1, "Expecting value"),
        ('{"a": 1,\n"b"}', 2, "Expecting ':'"),
        ('{"a": 1}\n{"b": 2}', 2, "Extra data"),
        ("NaN", 1, "NaN is not a number"),
        ("[-Infinity]", 1, "-Infinity is not a number"),
        ("[1e999]", 1, "1e999 is past the largest number"),
        ("1" * 5000, 1, "broken JSON"),
        (b"[\n\xff]", 2, "not UTF-8 text"),
        ("[" * 201 + "]" * 201, 1, "nested more than 200 deep"),
        ("[" * 100_000 + "]" * 100_000, 1, "nested more than 200 deep"),
    ],
)
def test_what_is_no_json_is_named_by_line(text: str | bytes, line: int, problem: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_json(text, file="f.json")
    assert (caught.value.file, caught.value.line) == ("f.json", line)
    assert problem in caught.value.problem
    with pytest.raises(BadInput) as caught:
        parse_json(text, file="f.json", line=7)  # where the data is part of a file
    assert caught.value.line == 6 + line


def test_json_may_begin_with_a_byte_order_mark() -> None:
    assert parse_json(b"\xef\xbb\xbf[1]", file=None) == [1]


@given(depth=st.integers(0, 40), limit=st.integers(0, 40), objects=st.booleans())
def test_depth_counts_objects_and_arrays(depth: int, limit: int, objects: bool) -> None:
    value: object = 1
    for _ in range(depth):
        value = {"a": value, "b": 1} if objects else [1, value]
    assert too_deep(value, limit) == (depth > limit)


def lines(path: Path, text: str, **more: bool) -> list[tuple[int, object, bool]]:
    """Write a text and read it as JSON lines."""
    path.write_bytes(text.encode())
    return list(json_lines(path, **more))  # type: ignore[arg-type]


def test_json_lines_have_their_number(tmp_path: Path) -> None:
    found = lines(tmp_path / "a", '{"a": 1}\r\n\n  \n[2]\n')
    assert found == [(1, {"a": 1}, False), (4, [2], False)]


def test_only_a_last_line_without_an_end_may_be_torn(tmp_path: Path) -> None:
    path = tmp_path / "a"
    assert lines(path, '[1]\n{"a": ') == [(1, [1], False), (2, None, True)]
    with pytest.raises(BadInput, match="line 2: broken JSON"):
        lines(path, '[1]\n{"a": \n')
    with pytest.raises(BadInput, match="line 1: broken JSON"):
        lines(path, '{"a": \n[1]')
    with pytest.raises(BadInput, match="line 2: broken JSON"):
        lines(path, '[1]\n{"a": ', tolerate_torn=False)
    with pytest.raises(TooLarge, match="line 2: nested"):
        lines(path, "[1]\n" + "[" * 300 + "]" * 300)


@given(st.lists(st.dictionaries(st.text(), st.integers() | st.text()), min_size=1), st.data())
def test_whatever_a_kill_leaves_of_a_log_its_whole_lines_are_read(rows: list[object], data: st.DataObject) -> None:
    whole = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    kept = whole[: data.draw(st.integers(0, len(whole)))]
    done = kept.count(b"\n")
    found = [value for _, value, problem in json_records(io.BytesIO(kept), "f") if not problem]
    assert found[:done] == rows[:done]
    assert len(found) <= done + 1  # the last line may lack nothing but its end


def test_one_bad_record_spoils_no_other() -> None:
    rows = b'{"a":1}\n{bad\n\n"\xff"\n' + b"[" * 300 + b"]" * 300 + b"\n[" + b"1," * 50 + b"1]\n[2]"
    found = list(json_records(io.BytesIO(rows), "f", limit=1_000))
    assert [(place, value) for place, value, problem in found if not problem][-1] == (7, [2])
    assert [(place, problem.split(": ", 1)[1]) for place, _, problem in found if problem] == [
        (2, "broken JSON: Expecting property name enclosed in double quotes"),
        (4, "not UTF-8 text"),
        (5, "nested more than 200 deep"),
    ]


def test_a_record_past_the_bound_is_passed_over() -> None:
    for end in (b"\n", b""):
        rows = b"[1]\n[" + b"1," * 1_000 + b"1]\n[3]" + end
        found = list(json_records(io.BytesIO(rows), "f", limit=100))
        assert found == [
            (1, [1], ""), (2, None, "f, line 2: has more than 100 bytes, the most that is read"), (3, [3], ""),
        ]  # fmt: skip
    exact = b"[" + b"1" * 98 + b"]"  # 100 bytes, and its line end
    assert [place for place, _, problem in json_records(io.BytesIO(exact + b"\n[2]\n"), "f", 100) if not problem] == [
        1,
        2,
    ]
