"""The page of recordings in a real Chromium: a table mapped and imported, on a public server too, at every size."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import app_runs
import pytest
from chromium import PHONE, ROOT, SCREEN, Server, Window, picture, serve, wait_until_idle
from playwright.sync_api import Page, expect
from test_app_recordings import TABLE

import costlab as cl
from costlab.ui import keeping


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
    expand = page.get_by_test_id("stExpandSidebarButton")
    narrow = expand.is_visible()
    if narrow:
        expand.click()
        page.wait_for_timeout(400)
    page.get_by_test_id("stSidebarNav").locator("a[href*='recordings']").click()
    expect(page.locator("input[type=file]")).to_be_attached()
    wait_until_idle(page)
    if narrow and not expand.is_visible():
        page.get_by_test_id("stSidebarCollapseButton").locator("button").click()
        page.wait_for_timeout(400)
    return page


def fits(page: Page) -> bool:
    """Return whether nothing of a page lies beyond its right edge."""
    return bool(page.get_by_test_id("stMain").evaluate("e => e.scrollWidth <= e.clientWidth"))


def test_a_table_is_mapped_and_imported(app: Server, window: Window, tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    path.write_text(TABLE, encoding="utf-8")
    page = recordings(window.open(app.url))
    page.locator("input[type=file]").set_input_files(path)
    expect(page.get_by_role("heading", name="Which column of")).to_be_visible()
    wait_until_idle(page)
    expect(page.get_by_role("button", name="Import", exact=True)).to_be_disabled()
    page.get_by_text("Yes: 20,000 input tokens in all").click()
    wait_until_idle(page)
    expect(page.get_by_test_id("stMetric").filter(has_text="Cost at the calls' dates")).to_contain_text("$0.0072")
    picture(page, "recordings-mapping", whole=True)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_test_id("stAlert")).to_contain_text("calls.csv: 1 run (csv), 2 calls")
    assert "csv" in {run.source.get("format") for run in cl.Store(app.home).runs()}


@pytest.mark.parametrize(
    ("scheme", "size", "language"),
    [("light", SCREEN, "en"), ("dark", SCREEN, "en"), ("light", PHONE, "en"), ("dark", PHONE, "zh"),
     ("light", SCREEN, "zh")],
    ids=["light", "dark", "phone", "phone-zh", "zh"],
)  # fmt: skip
def test_list_form_and_refusal_fit_every_screen(app: Server, window: Window, tmp_path, scheme, size, language) -> None:
    good, bad = tmp_path / "usage-2026-11.csv", tmp_path / "bad.jsonl"
    good.write_text(TABLE, encoding="utf-8")
    bad.write_text('{"event":"header","format":"costlab.recording","version":1,"run":{"run_id":"x"}}\n{broken\n{}\n')
    page = recordings(window.open(f"{app.url}/?lang={language}", scheme=scheme, size=size))
    page.locator("input[type=file]").set_input_files([good, bad])
    expect(page.get_by_test_id("stAlert").first).to_contain_text("bad.jsonl, line 2")
    wait_until_idle(page)
    assert fits(page)
    picture(page, f"recordings-form-{scheme}-{size[0]}-{language}", whole=True)
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
        expect(one.get_by_test_id("stAlert")).to_contain_text("mine.jsonl: 1 run")
        expect(one.get_by_text("Shared server: what you change stays in this browser tab.")).to_be_visible()
        figures = [page.get_by_test_id("stMetric").filter(has_text=re.compile("^Runs")) for page in (one, other)]
        shipped = len(cl.MemoryStore().runs())
        expect(figures[0]).to_contain_text(f"{shipped + 1}")
        if shipped:
            expect(figures[1]).to_contain_text(f"{shipped}")
        else:
            expect(other.get_by_text("No recording yet")).to_be_visible()
        picture(one, "recordings-public", whole=True)
        window.close()  # before the server ends: a page without one complains
        window.contexts.clear()
        assert server.alarms() == []
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before
