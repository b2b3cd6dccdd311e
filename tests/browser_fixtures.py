"""Fixtures for the app in a real browser: `browser` (one a run), `app` (one server a test file), `window`, `page`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import app_runs
import pytest
from chromium import FLAGS, ROOT, Server, Window, serve

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A Chromium without a window; skipped where there is none (where CI is set, that fails)."""
    sync_api = pytest.importorskip("playwright.sync_api")
    path = pytest.importorskip("browser").find()  # scripts/browser.py
    if path is None:
        pytest.skip("no browser: run `python scripts/browser.py --install`")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app on a server of its own with an empty home; after the last test its log must hold no alarm."""
    with serve(ROOT / "app.py", tmp_path_factory.mktemp("app") / "home") as server:
        yield server
        assert server.alarms() == []


@pytest.fixture(scope="module")
def app_of_two_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app with the two small runs of `app_runs` in its home and none shipped beside them; as `app`."""
    home = tmp_path_factory.mktemp("app") / "home"
    app_runs.fill(home)
    with serve(ROOT / "app.py", home, recordings=home.parent / "none") as server:
        yield server
        assert server.alarms() == []


@pytest.fixture(scope="session")
def caches() -> dict[str, BrowserContext]:
    """What the browser keeps of the app's own code between tests."""
    return {}


@pytest.fixture
def window(browser: Browser, caches: dict[str, BrowserContext]) -> Iterator[Window]:
    """Opens pages, `window.open(url, scheme="dark", size=PHONE)`; an error on their consoles fails the test."""
    opened = Window(browser, caches)
    yield opened
    opened.close()
    assert opened.errors == []


@pytest.fixture
def page(window: Window, app: Server) -> Page:
    """The app's first page, idle, in light colours at 1280x720."""
    return window.open(app.url)
