"""Finds a Chromium that starts, or installs one, and prints its path.

`python scripts/browser.py` prints the path of one that is there, or fails; `--install` first tries Debian's package,
then Playwright's own download, and adds a font with Chinese signs for screenshots where it can. Progress goes to
stderr. Needs nothing but the standard library, and Playwright only for its own download.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
ADVICE = "no browser: install Chromium or Chrome, or name one in COSTLAB_BROWSER"


def candidates() -> Iterator[str]:
    """Yield paths where a browser may be, the user's own choice (`COSTLAB_BROWSER`) first."""
    if named := os.environ.get("COSTLAB_BROWSER"):
        yield named
    for name in NAMES:
        if path := shutil.which(name):
            yield path
    yield from (place for place in PLACES if Path(place).exists())
    yield from playwrights_own()


def playwrights_own() -> Iterator[str]:
    """Yield the builds that Playwright has downloaded, newest first, from its cache folder."""
    named = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    home = Path.home()
    caches = [Path(named)] if named else [
        home / ".cache/ms-playwright",
        home / "Library/Caches/ms-playwright",
        home / "AppData/Local/ms-playwright",
    ]  # fmt: skip
    for cache in caches:
        for pattern in ("chrome-linux*/chrome", "chrome-mac*/*.app/Contents/MacOS/*", "chrome-win*/chrome.exe"):
            yield from map(str, sorted(cache.glob(f"chromium-*/{pattern}"), reverse=True))


def starts(path: str) -> bool:
    """Tell whether this is a browser that runs: Ubuntu has a `chromium-browser` that only points to a snap."""
    if not os.access(path, os.X_OK):
        return False
    if os.name == "nt":  # there `--version` opens a window
        return True
    try:
        done = subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def find() -> str | None:
    """Return the path of the first browser that starts, or None."""
    return next((path for path in candidates() if starts(path)), None)


def root() -> list[str] | None:
    """Return what to put before a command so that it runs as root ([] for root itself), or None."""
    if not shutil.which("apt-get"):
        return None
    if os.geteuid() == 0:
        return []
    able = shutil.which("sudo") and run(["sudo", "-n", "true"])
    return ["sudo", "-n"] if able else None


def run(command: list[str], **more: str) -> bool:
    """Run a command with its output on stderr and `more` in its environment; tell whether it succeeded."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, env={**os.environ, **more}, check=False)
    return done.returncode == 0


def apt(packages: list[str]) -> bool:
    """Install Debian packages if that can be done without a question; tell whether it was."""
    before = root()
    if before is None:
        return False
    get = [*before, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    install = [*get, "install", "--yes", "--no-install-recommends", *packages]
    return (run([*get, "update"]) and run(install)) or run(install)


def has_chinese_font() -> bool:
    """Tell whether a font with Chinese signs is there; true where fontconfig cannot be asked."""
    if not shutil.which("fc-list"):
        return os.name == "nt" or sys.platform == "darwin"
    return bool(subprocess.run(["fc-list", ":lang=zh"], capture_output=True, check=False).stdout.strip())


def install() -> str | None:
    """Return a browser; if none is there, install Debian's, else Playwright's own. None if neither can be had."""
    path = find()
    if path is None:
        print("no browser found: installing Debian's chromium", file=sys.stderr)
        path = find() if apt(["chromium"]) else None
    if path is None:
        print("no chromium package: asking Playwright for its own", file=sys.stderr)
        with_system_libraries = ["--with-deps"] if root() is not None else []
        run([sys.executable, "-m", "playwright", "install", *with_system_libraries, "chromium"])
        path = find()
    if path and not has_chinese_font():
        apt(["fonts-noto-cjk"])  # only for pictures: no failure if it cannot be had
    return path


def main(words: list[str] | None = None) -> int:
    """Print the browser's path; exit 1 with advice on stderr where there is none."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--install", action="store_true", help="install one if none is there")
    chosen = parser.parse_args(words)
    path = install() if chosen.install else find()
    if path is None:
        print(ADVICE, file=sys.stderr)
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
