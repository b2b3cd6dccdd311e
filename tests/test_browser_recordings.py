"""The page of recordings in a real Chromium: a table mapped and imported, on a public server too, at every size."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import app_runs
import pytest
from chromium import ROOT, Server, Window, fits, looks, picture, serve, wait_until_idle
from playwright.sync_api import Page, expect
from test_app_recordings import TABLE

import costlab as cl
from costlab.ui import keeping

SLOW = 60_000  # ms that a busy machine is given
REFUSED = {"en": "bad.jsonl, line 2: broken JSON", "zh": "bad.jsonl，第 2 行：JSON 有误"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app with two runs in its home."""
    home = tmp_path_factory.mktemp("app") / "home"
    app_runs.fill(home)
    with serve(ROOT / "app.py", home) as server:
        yield server
        assert server.alarms() == []


def recordings(page: Page) -> Page:
    """Go to the page of recordings by the sidebar, as a person does."""
    page.get_by_test_id("stSidebarNav").locator("a[href*='recordings']").click()
    wait_until_idle(page)
    expect(page.locator("input[type=file]")).to_be_attached(timeout=SLOW)  # its code comes when it is first needed
    return page


def test_a_table_is_mapped_and_imported(app: Server, window: Window, tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    path.write_text(TABLE, encoding="utf-8")
    page = recordings(window.open(app.url))
    page.locator("input[type=file]").set_input_files(path)
    expect(page.get_by_role("heading", name="Which column of")).to_be_visible(timeout=SLOW)
    wait_until_idle(page)
    expect(page.get_by_role("button", name="Import", exact=True)).to_be_disabled(timeout=SLOW)
    page.get_by_text("Yes: 20,000 input tokens in all").click()
    wait_until_idle(page)
    expect(page.get_by_test_id("stMetric").filter(has_text="Cost at the calls' dates")).to_contain_text(
        "$0.0072", timeout=SLOW
    )
    picture(page, "recordings-mapping", whole=True)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_test_id("stAlert")).to_contain_text("calls.csv: 1 run (csv), 2 calls", timeout=SLOW)
    assert "csv" in {run.source.get("format") for run in cl.Store(app.home).runs()}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_list_form_and_refusal_fit_every_screen(app: Server, window: Window, tmp_path: Path, language: str) -> None:
    good, bad = tmp_path / "usage-2026-11.csv", tmp_path / "bad.jsonl"
    good.write_text(TABLE, encoding="utf-8")
    bad.write_text('{"event":"header","format":"costlab.recording","version":1,"run":{"run_id":"x"}}\n{broken\n{}\n')
    page = recordings(window.open(f"{app.url}/?lang={language}"))
    page.locator("input[type=file]").set_input_files([good, bad])
    expect(page.get_by_test_id("stAlert").first).to_contain_text(REFUSED[language], timeout=SLOW)
    wait_until_idle(page)
    for look in looks(page):
        assert fits(page), look
        picture(page, f"recordings-form-{look}-{language}", whole=True)
    assert page.get_by_test_id("stException").count() == 0


def test_a_public_server_in_two_windows(window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(keeping.SETTING, "1")
    home = tmp_path / "home"
    app_runs.fill(home)
    upload = tmp_path / "mine.jsonl"
    upload.write_bytes((home / "runs" / "billed-run.jsonl").read_bytes().replace(b"billed-run", b"of-one"))
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    with serve(ROOT / "app.py", home) as server:
        one, other = (recordings(window.open(server.url)) for _ in range(2))
        one.locator("input[type=file]").set_input_files(upload)
        expect(one.get_by_test_id("stAlert")).to_contain_text("mine.jsonl: 1 run", timeout=SLOW)
        expect(one.get_by_text("Shared server: what you change stays in this browser tab.")).to_be_visible(timeout=SLOW)
        figures = [page.get_by_test_id("stMetric").filter(has_text=re.compile("^Runs")) for page in (one, other)]
        shipped = len(cl.MemoryStore().runs())
        expect(figures[0]).to_contain_text(f"{shipped + 1}", timeout=SLOW)
        if shipped:
            expect(figures[1]).to_contain_text(f"{shipped}", timeout=SLOW)
        else:
            expect(other.get_by_text("No recording yet")).to_be_visible(timeout=SLOW)
        picture(one, "recordings-public", whole=True)
        window.close()  # before the server ends: a page without one complains
        assert server.alarms() == []
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before
