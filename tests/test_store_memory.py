"""A store in memory answers like the one on disk, writes nothing, and holds no more than it may."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path

import pytest
from run_samples import call, run

import costlab as cl
from costlab.runs import Run
from costlab.store import inherited


def files(folder: Path) -> dict[str, bytes]:
    """Return every file under a folder with its bytes."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def below(tmp_path: Path) -> cl.Store:
    """A store on disk with one shipped run and one of the user's."""
    cl.Store(tmp_path / "shelf").add([run("shipped")])
    disk = cl.Store(tmp_path / "home", tmp_path / "shelf" / "runs")
    disk.add([run("theirs", task="Of the home")])
    return disk


def ids(store: cl.Store) -> list[str]:
    """Return the ids of all runs in order."""
    return [one.run_id for one in store.runs()]


def test_what_is_added_amended_and_deleted_stays_in_memory(below: cl.Store, tmp_path: Path) -> None:
    before = files(tmp_path)
    store, other = cl.MemoryStore(below), cl.MemoryStore(below)
    store.add([run("mine"), run("shipped", task="My own of that name")])
    store.amend("theirs", correct=True, title="A title")
    assert ids(store) == ["mine", "shipped", "theirs"]
    assert (store.open("theirs").title, store.open("theirs").correct) == ("A title", True)
    assert not store.builtin("shipped")  # until it is deleted, then the shipped one is there again
    store.delete("shipped")
    store.delete("theirs")
    assert ids(store) == ["shipped", "mine"]
    assert store.builtin("shipped")
    assert ids(other) == ids(below) == ["shipped", "theirs"]
    assert below.open("theirs").title is None
    assert files(tmp_path) == before


def test_what_was_deleted_can_be_added_again(below: cl.Store) -> None:
    store = cl.MemoryStore(below)
    held = store.open("theirs")
    store.delete("theirs")
    with pytest.raises(cl.NotFound):
        store.open("theirs")
    with pytest.raises(cl.NotFound):
        store.stamp("theirs")
    with pytest.raises(cl.NotFound):
        store.delete("theirs")
    store.add([held])
    assert store.open("theirs") == held


def test_a_shipped_run_cannot_be_deleted(below: cl.Store) -> None:
    with pytest.raises(cl.CostLabError, match="shipped"):
        cl.MemoryStore(below).delete("shipped")


def test_without_a_base_only_shipped_runs_are_under_it(home: Path) -> None:
    cl.Store(home).add([run("private")])
    assert "private" not in ids(cl.MemoryStore())
    assert all(cl.MemoryStore().builtin(run_id) for run_id in ids(cl.MemoryStore()))


def test_two_stores_share_no_stamp(below: cl.Store) -> None:
    one, other = cl.MemoryStore(below), cl.MemoryStore(below)
    one.add([run("mine")])
    other.add([run("mine", call(counts={"input_tokens": 9}))])
    first = one.stamp("mine")
    assert first != other.stamp("mine")
    one.add([run("mine")])
    assert one.stamp("mine") != first
    assert one.stamp("theirs") == below.stamp("theirs")


def test_marks_are_worked_out_over_what_the_session_sees(below: cl.Store) -> None:
    # 'a' holds the same answer as 'theirs': the first by id owns it, unless that run is deleted here
    below.add([run("a", call(origin="msg_1")), run("theirs", call(origin="msg_1"))])
    store = cl.MemoryStore(below)
    assert store.open("theirs").calls[0].inherited_from == "a"
    store.delete("a")
    assert store.open("theirs").calls[0].inherited_from is None
    assert store.open("theirs") == inherited([below.own("theirs") or Run("")])[0]


def test_no_more_than_it_may(below: cl.Store) -> None:
    store = cl.MemoryStore(below, most_runs=2)
    store.add([run("one"), run("two")])
    with pytest.raises(cl.TooLarge, match="at most 2 runs"):
        store.add([run("three")])
    assert ids(store) == ["shipped", "theirs", "one", "two"]
    store.add([run("two", task="Replaced")])  # that is no more
    size = cl.MemoryStore(below)
    size.add([run("one")])
    small = cl.MemoryStore(below, most_bytes=size.size)
    small.add([run("one")])
    with pytest.raises(cl.TooLarge, match="bytes of recordings"):
        small.add([run("two")])
    assert ids(small) == ["shipped", "theirs", "one"]


def test_all_sessions_together_and_what_an_ended_one_frees(below: cl.Store) -> None:
    probe = cl.MemoryStore(below)
    probe.add([run("one")])
    room = cl.Room(most_bytes=probe.size + 10)
    first, second = cl.MemoryStore(below, room=room), cl.MemoryStore(below, room=room)
    first.add([run("one")])
    assert room.held() == probe.size
    with pytest.raises(cl.TooLarge, match="this server"):
        second.add([run("one")])
    del first
    second.add([run("one")])
    assert room.held() == probe.size


def test_what_cannot_be_stored_is_refused_whole(below: cl.Store) -> None:
    store = cl.MemoryStore(below)
    twice = run("twice", call("c1"), call("c1"))
    with pytest.raises(cl.BadInput, match="c1"):
        store.add([run("good"), twice])
    assert "good" not in ids(store)
    store.add([run("open", state="running")])
    assert store.open("open").state == "cut"  # nobody goes on with a copy


def test_an_upload_goes_to_the_store_that_is_named(below: cl.Store, tmp_path: Path) -> None:
    data = (below.folder / "theirs.jsonl").read_bytes().replace(b'"theirs"', b'"uploaded"')
    before = files(tmp_path)
    store = cl.MemoryStore(below)
    found = cl.import_bytes("..\\a/run.jsonl", data, store=store)
    assert [one.run_id for one in found.runs] == ["uploaded"]
    assert store.own("uploaded") == replace(found.runs[0])
    with pytest.raises(cl.BadInput) as told:
        cl.import_bytes("../x/broken.jsonl", data + b"{\n{}\n", store=store)
    assert str(told.value).startswith(f"broken.jsonl, line {data.count(bytes([10])) + 1}: ")
    assert files(tmp_path) == before


def test_every_question_to_a_store_is_answered_from_memory() -> None:
    asked = {name for name, _ in inspect.getmembers(cl.Store, inspect.isfunction) if not name.startswith("_")}
    assert asked <= set(vars(cl.MemoryStore)), "a method that the store in memory inherits works on files"
