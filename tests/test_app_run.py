"""The Run page without a browser: the form, a live run from start to end, rules of a shared server, lost runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from live_agents import KEY, QUIET
from streamlit.testing.v1 import AppTest
from test_app import figures, opened, pieces_free
from trial_samples import two_steps, until
from wire_server import serving

import costlab as cl
from costlab.ui import keeping

pytestmark = [pytest.mark.filterwarnings(one) for one in QUIET]
RUN = "costlab/ui/pages/run.py"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_empty_form(home: Path, language: str) -> None:
    at = opened(RUN, lang=language)
    assert at.button(key="trial_start").disabled
    assert not at.toggle(key="trial_code").value


def started(address: str, at: AppTest, **more: object) -> AppTest:
    """Return the page after its form was filled for a scripted server and sent."""
    at.text_input(key="trial_address").set_value(f"{address}/v1")
    at.text_input(key="trial_address_models").set_value("gpt-4o-mini, gpt-4o")
    at.text_input(key="trial_address_key").set_value(KEY)
    at.selectbox(key="trial_task").set_value("arithmetic")
    at.run()
    assert not at.exception
    at.button(key="trial_start").click().run()
    assert not at.exception
    return at


def finished(at: AppTest) -> AppTest:
    """Return the page once the live run that it shows has ended."""
    until(lambda: any(one.key == "trial_new" for one in at.run().button))
    assert not at.exception
    return at


def test_a_live_run_from_the_form_to_its_results(home: Path) -> None:
    at = opened(RUN)
    with serving(two_steps) as wire:
        started(wire.address, at)
        finished(at)
    assert not at.exception
    print([m.label + m.value for m in at.metric], [c.value for c in at.caption])
    print(at.dataframe[0].value.to_dict("records"))
