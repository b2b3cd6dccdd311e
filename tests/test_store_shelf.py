"""The shelf: listed, opened, added, amended, deleted; shipped runs are only read; a call of two runs counts once."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from run_samples import call, run

from costlab.errors import BadInput, Conflict, CostLabError, NotFound
from costlab.files import write_all
from costlab.runs import Run
from costlab.store import Store, file_name, inherited, read, write


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A home with nothing in it, beside one shipped run."""
    write(run("shipped", task="Shipped"), tmp_path / "builtin" / "shipped.jsonl")
    return Store(tmp_path / "home", tmp_path / "builtin")


def ids(store: Store) -> list[str]:
    return [one.run_id for one in store.runs()]


def test_runs_are_listed_shipped_first(store: Store) -> None:
    assert ids(store) == ["shipped"]
    store.add([run("b"), run("a")])
    assert ids(store) == ["shipped", "a", "b"]
    assert store.open("a") == run("a")
    assert [store.builtin(one) for one in ("shipped", "a", "nowhere")] == [True, False, False]


def test_adding_again_replaces(store: Store) -> None:
    store.add([run("a", title="First")])
    store.add([run("a", title="Second")])
    assert [one.title for one in store.runs()] == [None, "Second"]


def test_of_runs_that_cannot_all_be_saved_none_is(store: Store) -> None:
    with pytest.raises(BadInput):
        store.add([run("a"), run("b", call(counts={"input_tokens": -1}))])
    assert ids(store) == ["shipped"]


def test_what_is_not_there_is_said(store: Store) -> None:
    for ask in (store.open, store.delete, store.amend):
        with pytest.raises(NotFound, match="there is no run 'nowhere'"):
            ask("nowhere")


def test_deleting(store: Store) -> None:
    store.add([run("a"), run("b")])
    store.delete("a")
    assert ids(store) == ["shipped", "b"]


def test_every_file_that_holds_a_run_is_deleted_with_it(store: Store) -> None:
    store.add([run("a")])
    write(run("a", title="A copy by hand"), store.folder / "copy.jsonl")
    assert store.open("a").title == "A copy by hand"
    store.delete("a")
    assert ids(store) == ["shipped"]


def test_a_run_is_replaced_in_the_file_that_holds_it(store: Store) -> None:
    write(run("a"), store.folder / "named-by-hand.jsonl")
    store.add([run("a", title="New")])
    assert sorted(p.name for p in store.folder.glob("*.jsonl")) == ["named-by-hand.jsonl"]
    assert store.open("a").title == "New"


def test_shipped_runs_are_only_read(store: Store) -> None:
    before = (store.shipped / "shipped.jsonl").read_bytes()
    with pytest.raises(CostLabError, match="shipped is shipped with CostLab and cannot be deleted"):
        store.delete("shipped")
    store.amend("shipped", correct=True, title="Mine")
    assert (store.open("shipped").title, store.open("shipped").correct, store.builtin("shipped")) == (
        "Mine",
        True,
        False,
    )
    assert ids(store) == ["shipped"]
    store.delete("shipped")  # the user's copy
    assert (store.open("shipped").title, store.builtin("shipped")) == (None, True)
    assert (store.shipped / "shipped.jsonl").read_bytes() == before


def test_amending_appends_one_line(store: Store) -> None:
    store.add([run("a")])
    path = store.folder / "a.jsonl"
    before = path.read_bytes()
    store.amend("a", correct=False)
    store.amend("a", title="Named")
    assert path.read_bytes() == before + b'{"event":"amend","correct":false}\n{"event":"amend","title":"Named"}\n'
    assert (store.open("a").correct, store.open("a").title) == (False, "Named")


def test_amending_a_torn_file_takes_the_torn_line_away(store: Store) -> None:
    store.add([run("a")])
    path = store.folder / "a.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])  # the `end`, cut off
    store.amend("a", correct=True)
    assert (store.open("a").state, store.open("a").correct, store.open("a").warnings) == ("cut", True, ())
    path.write_bytes(whole[:-1])  # whole but for its line end
    store.amend("a", correct=True)
    assert (store.open("a").state, store.open("a").correct) == ("success", True)


def test_a_broken_file_is_named_and_hides_no_other(store: Store) -> None:
    store.add([run("a"), run("b")])
    broken = store.folder / "b.jsonl"
    broken.write_bytes(broken.read_bytes().replace(b'"input_tokens":1000', b'"input_tokens":"x"'))
    (store.folder / "c.jsonl").mkdir()
    (store.folder / "d.jsonl").write_text("no recording\n")
    assert ids(store) == ["shipped", "a"]
    assert [(Path(b.file or "").name, b.line, b.field) for b in store.broken] == [
        ("b.jsonl", 3, "counts.input_tokens"), ("c.jsonl", None, None), ("d.jsonl", 1, None),
    ]  # fmt: skip
    with pytest.raises(BadInput, match=r"line 3, counts\.input_tokens"):
        store.open("b")
    store.add([run("b")])  # and a good one takes its place
    assert (ids(store), len(store.broken)) == (["shipped", "a", "b"], 2)


def test_a_file_that_goes_away_is_no_error(store: Store) -> None:
    store.add([run("a"), run("b")])
    store.runs()
    os.unlink(store.folder / "a.jsonl")
    assert ids(store) == ["shipped", "b"]
    with pytest.raises(NotFound):
        store.open("a")


def test_a_change_by_another_is_seen(store: Store) -> None:
    store.add([run("a")])
    assert store.open("a").title is None
    Store(store.folder.parent, store.shipped).add([run("a", title="By another")])
    assert store.open("a").title == "By another"


def test_opening_reads_no_other_run_without_need(store: Store) -> None:
    store.add([run("a", call(origin="msg_1"))])
    (store.folder / "broken.jsonl").write_bytes(b"{}\n")
    write_all({store.folder / f"other{n}.jsonl": b'{"event":"header","format":"costlab.recording"' for n in range(3)})
    assert store.open("a").calls[0].origin == "msg_1"
    assert store.broken == ()  # only a listing looks at all


def costs(runs: list[Run]) -> list[tuple[str, str, str | None]]:
    """Return (run, call, from whom) of all calls."""
    return [(one.run_id, c.call_id, c.inherited_from) for one in runs for c in one.calls]


def test_a_call_of_a_parent_and_its_child_is_the_parents() -> None:
    parent = run("z", call("c1", origin="m1"))
    child = run("a", call("c1", origin="m1"), call("c2", origin="m2"), parent_run_id="z")
    assert costs(inherited([child, parent])) == [("a", "c1", "z"), ("a", "c2", None), ("z", "c1", None)]


def test_of_siblings_the_first_by_id_keeps_a_call() -> None:
    siblings = [run(name, call("c1", origin="m1"), parent_run_id="absent") for name in ("c", "b", "a")]
    assert costs(inherited(siblings)) == [("c", "c1", "a"), ("b", "c1", "a"), ("a", "c1", None)]


def test_a_call_without_an_origin_is_nobody_elses() -> None:
    assert [c[2] for c in costs(inherited([run("a"), run("b")]))] == [None, None]


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.none() | st.sampled_from("abcdefx"), st.sets(st.integers(1, 4))))
)
@example([("a", "b", {1}), ("b", "a", {1})])
@example([("a", "a", {1}), ("b", "a", {1})])
def test_each_origin_is_counted_once_whoever_names_whom(family: list[tuple[str, str | None, set[int]]]) -> None:
    runs = {
        name: run(name, *(call(f"c{n}", origin=f"m{n}") for n in sorted(held)), parent_run_id=parent)
        for name, parent, held in family
    }
    runs = {name: one for name, one in runs.items() if one.calls[0].origin}
    marked = inherited(runs.values())
    owned = [c.origin for one in marked for c in one.calls if c.inherited_from is None]
    assert sorted(owned) == sorted({c.origin for one in runs.values() for c in one.calls})  # type: ignore[type-var]
    for one in marked:
        for c in one.calls:
            assert c.inherited_from is None or c.origin in {x.origin for x in runs[c.inherited_from].calls}


def test_opening_one_run_marks_what_listing_marks(store: Store) -> None:
    store.add([
        run("root", call("c1", origin="m1"), call("c2", origin='odd "\\ ü')),
        run(
            "fork", call("c1", origin="m1"), call("c2", origin='odd "\\ ü'), call("c3", origin="m3"),
            parent_run_id="root",
        ),
        run("fork2", call("c1", origin="m1"), parent_run_id="fork"),
        run("alone", call("c1", origin="m9")),
    ])  # fmt: skip
    listed = {one.run_id: one for one in store.runs()}
    for run_id, one in listed.items():
        assert Store(store.folder.parent, store.shipped).open(run_id) == one
        assert store.open(run_id) == one
    assert [c.inherited_from for c in listed["fork"].calls] == ["root", "root", None]
    assert [c.inherited_from for c in listed["fork2"].calls] == ["fork"]


NAMES = {
    "a": "a.jsonl",
    "fruit-qwen2.5_x": "fruit-qwen2.5_x.jsonl",
    "Fruit": "fruit-779089b3f757.jsonl",  # printf Fruit | sha256sum: 'fruit' is another run
    "../../etc/passwd": "_.._etc_passwd-3754d6cb3a38.jsonl",
    "con": "run-con-1143da2bc54c.jsonl",  # a device on Windows
    "": "run-e3b0c44298fc.jsonl",
}


def test_the_names_of_files() -> None:
    assert {run_id: file_name(run_id) for run_id in NAMES} == NAMES


@given(st.text(st.characters(), max_size=300) | st.sampled_from(["CON", "nul.txt", "com1", "..", ".", "a.", "a "]))
def test_a_run_id_stays_in_its_folder_and_within_what_file_systems_allow(run_id: str) -> None:
    name = file_name(run_id)
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789._-")
    assert not name.startswith(".")
    assert len(name) <= 110
    assert name.split(".")[0] not in {
        "con",
        "prn",
        "aux",
        "nul",
        *(f"{d}{n}" for d in ("com", "lpt") for n in range(10)),
    }


@given(st.text("aAbB.-_/1f", max_size=4), st.text("aAbB.-_/1f", max_size=4))
def test_two_run_ids_never_share_a_file(one: str, other: str) -> None:
    assert one == other or file_name(one).lower() != file_name(other).lower()


def test_nor_does_an_id_that_looks_like_anothers_file() -> None:
    first = file_name("Fruit")
    assert file_name(first.removesuffix(".jsonl")) != first


def test_odd_run_ids_are_saved_and_found(store: Store) -> None:
    odd = ["../x", "Ä", "a/b", "CON", "", "a" * 300, "Fruit", "fruit", "\ud800"]
    store.add([run(one) for one in odd])
    assert sorted(ids(store)) == sorted(["shipped", *odd])
    assert {path.parent for path in store.folder.rglob("*.jsonl")} == {store.folder}
    for one in odd:
        assert store.open(one).run_id == one


def test_an_imported_copy_of_a_recording_is_the_same_run(store: Store) -> None:
    store.add([run("a")])
    store.add([replace(read(store.folder / "a.jsonl"), title="Again")])
    assert ids(store) == ["shipped", "a"]


def test_a_rest_of_a_killed_save_is_taken_away(store: Store) -> None:
    store.folder.mkdir(parents=True)
    (store.folder / ".abc.tmp").write_text("half")
    store.add([run("a")])
    assert sorted(p.name for p in store.folder.iterdir() if p.name != ".lock") == ["a.jsonl"]


def test_a_home_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file, not a folder")
    store = Store(tmp_path / "home", tmp_path / "builtin")
    assert store.runs() == ()
    with pytest.raises(CostLabError, match="cannot write"):
        store.add([run("a")])


def test_a_living_recording_is_not_replaced_or_deleted(store: Store) -> None:
    """Its writer holds the file open: what it writes later would be lost."""
    from costlab.store import RecordingWriter

    with RecordingWriter(store.folder / file_name("live"), run("live", steps=())) as writer:
        assert store.open("live").state == "running"
        for change in (lambda: store.add([run("live")]), lambda: store.delete("live")):
            with pytest.raises(Conflict, match="run 'live' is being recorded now"):
                change()
        writer.end("success", answer="5")
    assert (store.open("live").state, store.open("live").answer) == ("success", "5")
    store.delete("live")
    assert ids(store) == ["shipped"]
