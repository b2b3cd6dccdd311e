"""The browser and its fixtures, on pages so small that only the fixtures can fail."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from chromium import PHONE, Window, looks, picture, serve, wait_until_idle

PAGE = """
import os, time
import plotly.graph_objects as go
import streamlit as st

st.title("Hello")
if st.button("Slow", key="slow"):
    time.sleep(1)
    st.write("done after a second")
st.write("home", os.environ["COSTLAB_HOME"])
st.plotly_chart(go.Figure(go.Bar(y=[1, 2])), key="bars")
"""


@pytest.fixture(scope="module")
def hello(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("hello")
    (folder / "hello.py").write_text(PAGE, encoding="utf-8")
    with serve(folder / "hello.py", folder / "home") as server:
        yield server
        assert server.alarms() == []


def test_a_slow_click_is_waited_for_and_an_error_on_the_console_is_collected(window: Window, hello) -> None:
    page = window.open(hello.url)
    assert page.get_by_role("heading", name="Hello").is_visible()
    assert page.get_by_text(str(hello.home)).is_visible()
    page.locator(".st-key-slow button").click()
    wait_until_idle(page)
    assert page.get_by_text("done after a second").is_visible()
    page.evaluate("console.error('made by this test')")
    assert window.errors == ["made by this test"]
    window.errors.clear()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_follows_the_system_and_a_phone_is_as_narrow_as_one(window: Window, hello, scheme) -> None:
    page = window.open(hello.url, scheme=scheme)
    for look in looks(page, scheme):
        dark, narrow = look.startswith("dark"), look.endswith(str(PHONE[0]))
        seen = page.locator("[data-testid='stApp']").evaluate("e => getComputedStyle(e).backgroundColor")
        assert seen == ("rgb(14, 17, 23)" if dark else "rgb(255, 255, 255)")
        bar = page.locator(".st-key-bars .bars path").first.evaluate("e => e.style.fill")
        assert bar == ("rgb(59, 107, 255)" if dark else "rgb(16, 40, 92)")  # #3B6BFF, #10285C
        assert page.evaluate("innerWidth") == (390 if narrow else 1280)
        assert picture(page, f"fixture-{look}").stat().st_size > 1000


def test_an_exception_is_told_without_its_trace_and_raises_an_alarm(window: Window, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("secret = 1\nsecret / 0\n", encoding="utf-8")
    with serve(tmp_path / "broken.py", tmp_path / "home") as server:
        page = window.open(server.url)
        shown = page.locator("[data-testid='stApp']").inner_text()
        assert "ZeroDivisionError" not in shown
        assert "Traceback" not in shown
        window.close()  # before its server ends, or the page tells of the lost connection
        assert len(server.alarms()) == 1


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="does not exist"), serve(tmp_path / "absent.py", tmp_path / "home"):
        pass


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX")
def test_a_browser_that_does_not_start_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finder = pytest.importorskip("browser")
    for name, code in (("chromium", 1), ("google-chrome", 0)):  # the first is as Ubuntu's pointer to a snap
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {code}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("COSTLAB_BROWSER", raising=False)
    assert finder.find() == str(tmp_path / "google-chrome")
    monkeypatch.setenv("COSTLAB_BROWSER", sys.executable)  # starts, and was named
    assert finder.find() == sys.executable
