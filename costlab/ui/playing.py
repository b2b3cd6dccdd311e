"""Where a replay stands: how much of a recorded run has been played, at which speed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import monotonic

import streamlit as st

import costlab as cl

SPEEDS = {"1×": 1.0, "10×": 10.0, "100×": 100.0, "1,000×": 1_000.0}


@dataclass(frozen=True, slots=True)
class Play:
    """A replay of one run: `at_s` recorded seconds were played when the clock stood at `since` (None: paused)."""

    run_id: str
    at_s: float
    since: float | None = None
    speed: float = 10.0

    def position(self, clock: float) -> float:
        """Return the recorded second that the replay has reached."""
        return self.at_s + (0.0 if self.since is None else (clock - self.since) * self.speed)


def current(run: cl.Run, moments: tuple[cl.Moment, ...]) -> Play:
    """Return the replay of a run; one that was never started stands at its end, so that all of it is seen."""
    play = st.session_state.get("play")
    if not isinstance(play, Play) or play.run_id != run.run_id:
        play = Play(run.run_id, _end(moments))
        st.session_state.play = play
    return play


def _end(moments: tuple[cl.Moment, ...]) -> float:
    return moments[-1].at_s if moments else 0.0


def ended(moments: tuple[cl.Moment, ...], at_s: float) -> list[int]:
    """Return the places of the steps that have ended by a recorded second, in order of time."""
    return [m.step for m in moments if m.at_s <= at_s]


def at_end(moments: tuple[cl.Moment, ...]) -> bool:
    """Return whether all of the run is shown."""
    play: Play = st.session_state.play
    return play.position(monotonic()) >= _end(moments)


def start(moments: tuple[cl.Moment, ...], speed: float) -> None:
    """Play on, from the beginning where the replay stands at its end."""
    play: Play = st.session_state.play
    at_s = play.position(monotonic())
    begin = 0.0 if at_s >= _end(moments) else at_s
    st.session_state.play = replace(play, at_s=begin, since=monotonic(), speed=speed)


def pause() -> None:
    """Hold the replay where it is."""
    play: Play = st.session_state.play
    st.session_state.play = replace(play, at_s=play.position(monotonic()), since=None)


def next_step(moments: tuple[cl.Moment, ...]) -> None:
    """Go on to the end of the next step, and hold; from the end, begin anew."""
    play: Play = st.session_state.play
    at_s = play.position(monotonic())
    later = [m.at_s for m in moments if m.at_s > at_s]
    first = moments[0].at_s if moments else 0.0
    st.session_state.play = replace(play, at_s=later[0] if later else first, since=None)


def finish(moments: tuple[cl.Moment, ...]) -> None:
    """Show the whole run."""
    play: Play = st.session_state.play
    st.session_state.play = replace(play, at_s=_end(moments), since=None)
