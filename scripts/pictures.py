"""Make the README's pictures: the app on the shipped recordings, with an empty home, in a real browser.

    python scripts/pictures.py [FOLDER]      # docs/pictures

Made again after a change of the app's looks; the pictures are what a person sees, nothing is drawn over.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts")]

import browser  # noqa: E402 - beside this script
from chromium import FLAGS, Window, picture, serve, wait_until_idle  # noqa: E402 - the tests' own browser
from playwright.sync_api import sync_playwright  # noqa: E402

# name of the picture: (page's title in the sidebar, language, colours)
PICTURES = {
    "compare": ("Compare", "en", "light"),
    "run": ("Run", "en", "light"),
    "replay": ("Replay", "en", "dark"),
    "prices": ("Prices", "en", "light"),
    "recordings": ("Recordings", "en", "light"),
    "compare-zh": ("比较", "zh", "dark"),
}


def main(folder: Path) -> None:
    """Open each page as a new visitor and save what is on the screen."""
    os.environ["COSTLAB_PICTURES"] = str(folder)
    with (
        tempfile.TemporaryDirectory() as home,
        serve(ROOT / "app.py", Path(home) / "home") as app,
        sync_playwright() as playwright,
    ):
        chromium = playwright.chromium.launch(executable_path=browser.find(), args=list(FLAGS))
        window = Window(chromium)
        for name, (title, language, scheme) in PICTURES.items():
            page = window.open(f"{app.url}/?lang={language}", scheme=scheme)  # type: ignore[arg-type]
            page.get_by_test_id("stSidebarNav").get_by_role("link", name=title).click()
            wait_until_idle(page)
            page.wait_for_timeout(800)  # a chart's own drawing
            print(picture(page, name).relative_to(folder))
        window.close()
        chromium.close()
        if window.errors:
            sys.exit("\n".join(window.errors))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures")
