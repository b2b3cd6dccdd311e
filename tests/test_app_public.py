"""A server for several people: what a visitor changes is seen by nobody else, and nothing of it is written."""

from __future__ import annotations

from pathlib import Path

import app_runs
import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest
from test_app import COMPARE, PRICES, RECORDINGS, edited, editor_of, figures, opened, pieces_free
from test_store_memory import files

import costlab as cl
from costlab.ui import keeping

LINE = "Shared server: what you change stays in this browser tab."
LINE_ZH = "共享服务器：您的改动只保留在此浏览器标签页中。"


@pytest.fixture
def filled(home: Path) -> Path:
    """A home with a billed run, a local one, a price of the owner's and favourites."""
    app_runs.fill(home)
    rows = cl.parse_prices(b"provider,model,unit,price,per\nopenai,gpt-5-mini,output_tokens,3,1000000\n", "o.csv")
    cl.save_overrides(rows, home=home)
    cl.save_favourites(["zai/glm-5.3"], home)
    return home


@pytest.fixture(params=["1", "home"])
def public(request: pytest.FixtureRequest, filled: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The filled home of a public server, which shows it to visitors or does not."""
    monkeypatch.setenv("COSTLAB_PUBLIC", request.param)
    return filled


def upload(at: AppTest, *named: tuple[str, bytes]) -> AppTest:
    """Return the page after files were dropped on its upload."""
    at.file_uploader[0].set_value([(name, data, "application/json") for name, data in named])
    return at.run()


def recording(home: Path, run_id: str) -> bytes:
    """Return the billed run's file under another id."""
    return (home / "runs" / "billed-run.jsonl").read_bytes().replace(b"billed-run", run_id.encode())


def listed(at: AppTest) -> list[str]:
    """Return the ids of the runs that a page of recordings lists."""
    return [] if not at.dataframe else list(at.dataframe[0].value["run_id"])


@pytest.mark.parametrize(
    ("said", "address", "expected"),
    [
        ("1", "localhost", True), ("true", "localhost", True), ("home", "127.0.0.1", True),
        ("perhaps", "localhost", True),  # a word that is not known keeps things apart
        ("0", "0.0.0.0", False), ("off", None, False), ("", "localhost", False), ("", "127.0.0.1", False),
        ("", "127.8.0.1", False), ("", "::1", False), ("", "[::1]", False), ("", "0.0.0.0", True), ("", "::", True),
        ("", "192.168.1.7", True), ("", "costlab.example", True), ("", None, True), ("", "unix:///run/a.sock", True),
    ],
)  # fmt: skip
def test_when_a_server_is_public(
    said: str, address: str | None, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    was = config.get_option("server.address")
    monkeypatch.setenv("COSTLAB_PUBLIC", said)
    config.set_option("server.address", address)
    try:
        assert keeping.public() is expected
    finally:
        config.set_option("server.address", was)


def test_the_shipped_settings_serve_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COSTLAB_PUBLIC", raising=False)
    settings = (Path(__file__).parent.parent / ".streamlit/config.toml").read_text(encoding="utf-8")
    assert '\naddress = "localhost"\n' in settings
    assert not keeping.public()


@pytest.mark.parametrize(("language", "line"), [("en", LINE), ("zh", LINE_ZH)])
def test_the_page_says_so_in_one_line(public: Path, language: str, line: str) -> None:
    assert [note.value for note in opened(lang=language).caption].count(line) == 1


def test_a_private_server_says_nothing(filled: Path) -> None:
    assert LINE not in [note.value for note in opened().caption]


def test_the_home_is_read_only_where_that_is_said(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSTLAB_PUBLIC", "1")
    at = opened(RECORDINGS)
    assert "billed-run" not in listed(at)
    shut = opened(run="billed-run")
    assert all(one.disabled for one in shut.button if one.key == "take_favourites")
    assert not any("A billed run" in label for box in shut.selectbox for label in box.options)
    monkeypatch.setenv("COSTLAB_PUBLIC", "home")
    assert {"billed-run", "local-run"} <= set(listed(opened(RECORDINGS)))
    assert not opened(run="billed-run").button(key="take_favourites").disabled
    # the owner's own 3.00 for output: (12,000 x 0.25 + 8,000 x 0.025 + 2,000 x 3.00) USD per million
    assert figures(opened(run="billed-run"))["As recorded, at the calls' day"] == "$0.0092"


def test_everything_that_a_visitor_does_leaves_the_home_as_it_was(public: Path, tmp_path: Path) -> None:
    before = files(tmp_path)
    at = upload(opened(RECORDINGS), ("run.jsonl", recording(public, "other-run")), ("bad.jsonl", b"{broken"))
    assert not at.exception
    assert "1 run (costlab)" in pieces_free(at.success[0].value)
    assert "other-run" in listed(at)

    at.switch_page(PRICES).run()
    edited(at, "openai/gpt-5-mini", "output tokens", 4.0)
    at.button(key="save").click().run()
    assert "browser tab" in at.success[0].value
    assert (
        editor_of(at).value.set_index(["model", "unit"]).loc[("openai/gpt-5-mini", "output tokens"), "price"]
        == "$4.000"
    )
    prices = b"provider,model,unit,price,per\nopenai,gpt-5-mini,input_tokens,1,1000000\n"
    at.file_uploader[0].set_value(("prices.csv", prices, "text/csv")).run()
    assert "1 row taken" in at.success[0].value

    at.switch_page(COMPARE).run()
    at.multiselect(key="models").set_value(["openai/gpt-5.4"]).run()
    at.button(key="keep_favourites").click().run()
    at.multiselect(key="models").set_value([]).run()
    at.button(key="take_favourites").click().run()
    assert at.session_state["models"] == ["openai/gpt-5.4"]
    at.query_params["run"] = "other-run"
    at.run()
    # (12,000 x 1.00 + 8,000 x 0.025 + 2,000 x 4.00) USD per million = 0.0202
    assert figures(at)["As recorded, at the calls' day"] == "$0.0202"
    assert not at.exception
    assert files(tmp_path) == before


def test_two_visitors_do_not_see_each_others(public: Path) -> None:
    one, other = opened(RECORDINGS), opened(RECORDINGS)
    upload(one, ("run.jsonl", recording(public, "of-one")))
    assert "of-one" in listed(one)
    assert "of-one" not in listed(other.run())
    # the same id with other counts: each session's figures are those of its own file
    more = recording(public, "of-one").replace(b'"output_tokens":1000', b'"output_tokens":2000')
    upload(other, ("run.jsonl", more))
    costs = [at.dataframe[0].value.set_index("run_id").loc["of-one", "cost"] for at in (one.run(), other)]
    extra = 0.004 if keeping.shows_home() is False else 0.006  # 2,000 tokens at 2.00, or at the owner's 3.00, a million
    first, second = (float(cost.removeprefix("$")) for cost in costs)
    assert second - first == pytest.approx(extra)

    one.switch_page(PRICES).run()
    edited(one, "openai/gpt-5-mini", "output tokens", 4.0)
    one.button(key="save").click().run()
    other.switch_page(PRICES).run()
    prices = editor_of(other).value.set_index(["model", "unit"])["price"]
    assert prices[("openai/gpt-5-mini", "output tokens")] == ("$3.000" if keeping.shows_home() else "$2.000")


def test_a_visitor_deletes_for_himself_alone(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSTLAB_PUBLIC", "home")
    before = files(tmp_path)
    one, other = opened(RECORDINGS), opened(RECORDINGS)
    one.session_state["own_store"].delete("billed-run")
    assert "billed-run" not in listed(one.run())
    assert "billed-run" in listed(other.run())
    assert files(tmp_path) == before


def test_an_upload_past_the_limit_is_refused(public: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert keeping.upload_megabytes() == 20
    monkeypatch.setattr(keeping, "_MEGABYTE", 10)  # so that the test needs no large file
    at = upload(opened(RECORDINGS), ("run.jsonl", recording(public, "large")))
    assert "run.jsonl: has more than 20 MB" in pieces_free(at.error[0].value)
    assert "large" not in listed(at)


def test_a_session_holds_a_bounded_number_of_runs(public: Path) -> None:
    at = opened(RECORDINGS)
    at.session_state["own_store"].most_runs = 1
    upload(at, ("a.jsonl", recording(public, "first")), ("b.jsonl", recording(public, "second")))
    assert "first" in listed(at)
    assert "second" not in listed(at)
    assert "at most 1 run" in pieces_free(at.error[0].value)


def test_prices_of_a_session_are_bounded(public: Path) -> None:
    with pytest.raises(cl.TooLarge, match="20,000"):
        keeping.checked_rates(20_001)


def test_conversations_that_look_like_markup_are_shown_as_they_are(public: Path) -> None:
    at = opened(RECORDINGS)
    hostile = recording(public, "odd").replace(b"A billed run", b"<script>alert(1)</script> [a](javascript:b) $x$")
    upload(at, ("<b>run</b>.jsonl", hostile))
    assert "\\<b\\>run" in at.success[0].value
    for shown in (*at.markdown, *at.caption, *at.success, *at.subheader):
        assert "<script>" not in shown.value
