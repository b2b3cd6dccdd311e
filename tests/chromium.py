"""The app as a person has it: a real Streamlit server and a real Chromium, driven by Playwright."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

ROOT = Path(__file__).resolve().parent.parent
SCREEN = (1280, 720)
PHONE = (390, 844)
# A browser for tests: no sandbox (it needs rights that a container lacks), and not one word to its maker's servers.
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--no-proxy-server", "--disable-dev-shm-usage",
)  # fmt: skip
# What a healthy server never says.
ALARMS = ("Traceback", "missing ScriptRunContext", "DeprecationWarning", "deprecated")
IDLE = "[data-testid='stApp'][data-test-connection-state='CONNECTED'][data-test-script-state='notRunning']"


@dataclass(frozen=True, slots=True)
class Server:
    """A running app: where it answers, what it writes, whose home it has."""

    url: str
    log: Path
    home: Path

    def alarms(self) -> list[str]:
        """Return the lines of its log that a healthy server never writes."""
        return [line for line in self.log.read_text(encoding="utf-8").splitlines() if any(a in line for a in ALARMS)]


@contextmanager
def serve(script: Path, home: Path, *options: str, recordings: Path | None = None) -> Iterator[Server]:
    """Run a Streamlit script on a free port with a home of its own, until the block ends.

    `recordings` is a folder to list as built in, instead of the shipped one.
    """
    port = free_port()
    home.mkdir(parents=True, exist_ok=True)
    log = home.parent / f"{home.name}-server.log"
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port),
               "--server.headless", "true", "--server.fileWatcherType", "none", *options]  # fmt: skip
    environment = {**os.environ, "COSTLAB_HOME": str(home), "LITELLM_LOCAL_MODEL_COST_MAP": "True", "NO_COLOR": "1",
                   **({"COSTLAB_RECORDINGS": str(recordings)} if recordings else {})}  # fmt: skip
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
        )
        try:
            url = f"http://localhost:{port}"
            wait_until_healthy(url, process, log)
            yield Server(url, log, home)
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port() -> int:
    """Return a port that nothing listens on just now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path, seconds: float = 60) -> None:
    """Return when the server answers; RuntimeError with its log when it ends or stays silent."""
    ask = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        try:
            with ask(f"{url}/_stcore/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"the app does not start:\n{log.read_text(encoding='utf-8')}")


@dataclass(slots=True)
class Window:
    """Pages of one test in one browser, and every error that they write to the console.

    Pages of one language share the browser's cache, which saves most of opening one; each is a session of its own,
    since Streamlit keeps nothing of a session in the browser. `caches` may outlive the window.
    """

    browser: Browser
    caches: dict[str, BrowserContext] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)

    def open(
        self,
        url: str,
        *,
        scheme: Literal["light", "dark"] = "light",
        size: tuple[int, int] = SCREEN,
        locale: str = "en-US",
        visitor: str = "",
    ) -> Page:
        """Open an address as a new visitor would and return the page once the app is idle.

        `visitor` names somebody whose browser shares nothing with the others'.
        """
        whose = f"{locale} {visitor}"
        if whose not in self.caches:
            self.caches[whose] = self.browser.new_context(locale=locale, reduced_motion="reduce", accept_downloads=True)
        page = self.caches[whose].new_page()
        self.pages.append(page)
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.emulate_media(color_scheme=scheme)
        page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(url)
        wait_until_idle(page)
        return page

    def close(self) -> None:
        """Close every page that the test opened."""
        while self.pages:
            self.pages.pop().close()


def looks(page: Page, *schemes: Literal["light", "dark"]) -> Iterator[str]:
    """Show a page at screen and phone size in each of these colours (else in both); yields a name for each look.

    The page is not opened again: a look is what a person's system and window change under it. Charts of the app keep
    the colours that they were opened with, as Streamlit draws them, so pages with charts are opened in one colour.
    """
    for size in (SCREEN, PHONE):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        for scheme in schemes or ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(400)  # the layout and its charts follow
            yield f"{scheme}-{size[0]}"
    page.set_viewport_size({"width": SCREEN[0], "height": SCREEN[1]})
    page.wait_for_timeout(400)


def fits(page: Page) -> bool:
    """Return whether nothing of a page lies beyond its right edge."""
    return bool(page.get_by_test_id("stMain").evaluate("e => e.scrollWidth <= e.clientWidth"))


def wait_until_idle(page: Page, seconds: float = 60) -> None:
    """Return when the script has run and nothing is drawn any more; use it after each click and each key."""
    page.wait_for_timeout(150)  # a click needs a moment until the app shows that it runs
    page.wait_for_selector(IDLE, state="attached", timeout=seconds * 1000)
    for waiting in ("stStatusWidget", "stSkeleton", "stAppSkeleton"):
        page.wait_for_selector(f"[data-testid='{waiting}']", state="detached", timeout=seconds * 1000)


def picture(page: Page, name: str, *, whole: bool = False) -> Path:
    """Save the page as `name`.png in `COSTLAB_PICTURES`, else in test-output/, and return where."""
    folder = Path(os.environ.get("COSTLAB_PICTURES") or ROOT / "test-output")
    folder.mkdir(parents=True, exist_ok=True)
    page.evaluate("document.fonts.ready.then(() => true)")
    path = folder / f"{name}.png"
    page.screenshot(path=path, full_page=whole, animations="disabled")
    return path
