"""Frames as Plotly figures. They return and never draw; every word in them comes in as an argument `t`.

Token kinds keep one colour and one order: the app's theme gives its categorical colours to traces in order, so each
chart of kinds has a trace for all six, also where one has nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import cycle

import pandas as pd
import plotly.graph_objects as go

from costlab.words import ENGLISH, KINDS, Words, kind_name

GREY = "#7A828C"  # bands, ranges and marks: 3.9:1 on white, 4.8:1 on the dark background
_PATTERNS = {"cache_read": "/", "cache_write": "x"}  # told apart without colour
_ROW = 29  # pixels of one bar with its gap
_WIDE = 25  # times the middle: further away, one point presses all others together on an even scale


def _plain(figure: go.Figure, height: int) -> go.Figure:
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 16, "t": 8, "b": 8},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "xanchor": "left", "x": 0.0, "traceorder": "normal"},
        hoverlabel={"namelength": -1},
        dragmode=False,
    )
    return figure


def _pattern(kind: str) -> dict[str, object]:
    return {"shape": _PATTERNS.get(kind, ""), "fillmode": "overlay", "size": 6, "solidity": 0.2}


def compare_bars(frame: pd.DataFrame, t: Words = ENGLISH) -> go.Figure:
    """Return one bar a model, cheapest on top, split by kind (USD); a mark shows the cost with nothing cached.

    `frame` is `frames.compared`; models that do not fit or have no price are left out.
    """
    rows = frame[(frame["state"] != "unfit") & frame["usd"].notna()].iloc[::-1]
    figure = go.Figure()
    for kind in KINDS:
        used = bool(len(rows)) and bool((rows[kind] > 0).any())
        figure.add_bar(
            y=rows["model"],
            x=rows[kind],
            name=kind_name(kind, t),
            orientation="h",
            showlegend=used,
            marker_pattern=_pattern(kind),
            hovertemplate="%{y}<br>%{fullData.name}: $%{x:.6f}<extra></extra>",
        )
    figure.add_scatter(
        y=rows["model"],
        x=rows["uncached"],
        mode="markers",
        name=t("nothing cached"),
        marker={"symbol": "line-ns-open", "size": 16, "color": GREY, "line": {"width": 3}},
        hovertemplate="%{y}<br>" + t("nothing cached") + ": $%{x:.6f}<extra></extra>",
    )
    least, mark = rows[rows["state"] == "lower_bound"], t("lower bound")
    if len(least):
        figure.add_scatter(
            y=least["model"],
            x=least[["usd", "uncached"]].max(axis="columns"),  # behind the bar and its mark
            mode="text",
            text=[f"   ≥ {mark}"] * len(least),
            textposition="middle right",
            cliponaxis=False,
            showlegend=False,
            hoverinfo="skip",
        )
    figure.update_layout(barmode="stack", bargap=0.35)
    figure.update_xaxes(rangemode="tozero", tickprefix="$", title=None, nticks=6)
    figure.update_yaxes(title=None, automargin=True, ticksuffix="  ")
    return _plain(figure, 90 + _ROW * max(len(rows), 2))


def cumulative(frame: pd.DataFrame, labels: list[str], t: Words = ENGLISH) -> go.Figure:
    """Return the cost so far over the steps, a line for each label (USD). `frame` is `frames.steps`, or rows of it."""
    figure = go.Figure()
    ordered = frame.sort_values("order")  # a managed agent's steps end before the step that started it
    for label in labels:
        _line(figure, label, [0, *ordered["order"]], [0.0, *ordered[f"usd {label}"].cumsum()], t, money=True)
    return _over_steps(figure, len(frame), t, money=True)


_DASHES = ("solid", "dash", "dot", "dashdot")  # lines told apart without colour


def cost_side_by_side(frames: Mapping[str, pd.DataFrame], t: Words = ENGLISH) -> go.Figure:
    """Return the cost so far over each run's own steps, a line a label (USD).

    `frames` hold `frames.steps` of a run each, priced under the one name `run`.
    """
    figure = go.Figure()
    for dash, (label, frame) in zip(cycle(_DASHES), frames.items(), strict=False):
        orders, sums = (frame["order"], frame["usd run"].cumsum()) if len(frame) else ((), ())
        _line(figure, label, [0, *orders], [0.0, *sums], t, money=True, dash=dash)
    return _over_steps(figure, max(map(len, frames.values()), default=0), t, money=True)


def context_side_by_side(frames: Mapping[str, pd.DataFrame], t: Words = ENGLISH) -> go.Figure:
    """Return the input tokens of each step, a line a label: how each context grows. `frames` as for the cost."""
    figure = go.Figure()
    for dash, (label, frame) in zip(cycle(_DASHES), frames.items(), strict=False):
        orders, inputs = (frame["order"], frame["input"]) if len(frame) else ((), ())
        _line(figure, label, orders, inputs, t, money=False, dash=dash)
    return _over_steps(figure, max(map(len, frames.values()), default=0), t, money=False)


def _line(  # noqa: PLR0913 - what one line of a chart over steps is
    figure: go.Figure, label: str, x: Iterable[int], y: Iterable[float], t: Words, *, money: bool, dash: str = "solid"
) -> None:
    """Add one line over steps: money stands until the next step changes it, tokens are of each step."""
    figure.add_scatter(
        x=list(x),
        y=list(y),
        name=label,
        mode="lines+markers",
        line={"shape": "hv" if money else "linear", "width": 3, "dash": dash},
        marker={"size": 7},
        hovertemplate=label + "<br>" + t("step") + " %{x}: " + ("$%{y:.6f}" if money else "%{y:,.0f}")
        + "<extra></extra>",
    )  # fmt: skip


def _over_steps(figure: go.Figure, steps: int, t: Words, *, money: bool) -> go.Figure:
    figure.update_xaxes(title=t("step"), dtick=1 if steps <= 24 else None, rangemode="tozero")
    figure.update_yaxes(rangemode="tozero", tickprefix="$" if money else "", nticks=6, title=None)
    return _plain(figure, 280)


def tokens_by_step(frame: pd.DataFrame, t: Words = ENGLISH) -> go.Figure:
    """Return the tokens of each step as a stacked column by kind: how the context grows. `frame` is `frames.steps`."""
    figure = go.Figure()
    for kind in KINDS[:5]:
        figure.add_bar(
            x=frame["order"],
            y=frame[kind],
            name=kind_name(kind, t),
            showlegend=bool((frame[kind] > 0).any()),
            marker_pattern=_pattern(kind),
            hovertemplate="%{fullData.name}: %{y:,.0f}<extra></extra>",
        )
    figure.update_layout(barmode="stack", bargap=0.3)
    figure.update_xaxes(title=t("step"), dtick=1 if len(frame) <= 24 else None)
    figure.update_yaxes(rangemode="tozero", title=t("tokens"), nticks=6)
    return _plain(figure, 280)


def media_tokens(frame: pd.DataFrame, t: Words = ENGLISH) -> go.Figure:
    """Return one bar a model with the tokens of a medium, fewest on top; estimates are hatched.

    `frame` is `frames.media`; models without a figure are left out.
    """
    rows = frame[frame["tokens"].notna()].iloc[::-1]
    names = {"known": t("by the vendor's formula"), "estimated": t("estimated")}
    figure = go.Figure()
    for kind, mark in (("known", ""), ("estimated", "/")):
        part = rows["tokens"].where((rows["basis"] == "estimated") == (kind == "estimated"))
        figure.add_bar(
            y=rows["model"],
            x=part,
            name=names[kind],
            orientation="h",
            showlegend=bool(part.notna().any()),
            marker={"color": GREY if kind == "estimated" else None},
            marker_pattern={"shape": mark, "fillmode": "overlay", "size": 6, "solidity": 0.2},
            texttemplate="%{x:,.0f}",
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}<br>%{x:,.0f} " + t("tokens") + "<extra></extra>",
        )
    figure.update_layout(barmode="overlay", bargap=0.35)
    widest = float(rows["tokens"].max()) if len(rows) else 1.0  # and room for the number behind the bar
    figure.update_xaxes(range=[0, widest * 1.18], tickformat=",", title=t("tokens"), nticks=5)
    figure.update_yaxes(title=None, automargin=True, ticksuffix="  ")
    return _plain(figure, 90 + _ROW * max(len(rows), 2))


def latency_boxes(frame: pd.DataFrame, t: Words = ENGLISH) -> go.Figure:
    """Return how long answers took, a row a model: each call a point, the box from quarter to three quarters.

    `frame` is `frames.latencies`; the models stand in its order, the first on top.
    """
    figure = go.Figure()
    figure.add_box(
        x=frame["seconds"],
        y=frame["model"],
        orientation="h",
        boxpoints="all" if len(frame) <= 500 else "outliers",
        jitter=0.4,
        pointpos=0,
        marker={"size": 5, "opacity": 0.7},
        line={"width": 2},
        showlegend=False,
        hovertemplate="%{y}: %{x:.2f} s<extra></extra>",
    )
    times = frame["seconds"][frame["seconds"] > 0]
    if len(times) and times.max() > _WIDE * times.median():  # one slow call would press all others into a line
        figure.update_xaxes(type="log", title=t("seconds, logarithmic"), dtick=1, tickformat=",~r")
    else:
        figure.update_xaxes(rangemode="tozero", title=t("seconds"), nticks=6)
    figure.update_yaxes(title=None, automargin=True, ticksuffix="  ", autorange="reversed")
    return _plain(figure, 80 + 2 * _ROW * max(frame["model"].nunique(), 2))


def tool_money(frame: pd.DataFrame, t: Words = ENGLISH) -> go.Figure:
    """Return each tool's part of the money in USD: the steps that called it, and its results being sent.

    `frame` is `frames.by_tool`.
    """
    rows = frame.iloc[::-1]
    figure = go.Figure()
    parts = (
        (t("steps that called it"), rows["usd"] - rows["results"], ""),
        (t("its results, sent"), rows["results"], "/"),
    )
    for name, amounts, shape in parts:
        figure.add_bar(
            y=rows["tool"],
            x=amounts,
            name=name,
            orientation="h",
            marker_pattern={"shape": shape, "fillmode": "overlay", "size": 6, "solidity": 0.2},
            hovertemplate="%{y}<br>%{fullData.name}: $%{x:.6f}<extra></extra>",
        )
    figure.update_layout(barmode="stack", bargap=0.35)
    figure.update_xaxes(rangemode="tozero", tickprefix="$", title=None, nticks=5)
    figure.update_yaxes(title=None, automargin=True, ticksuffix="  ")
    return _plain(figure, 90 + _ROW * max(len(rows), 2))


def fault_bars(frame: pd.DataFrame, t: Words = ENGLISH) -> go.Figure:
    """Return the rate of each kind of fault as a bar, with its count and n in words. `frame` is `frames.faults`."""
    rows = frame.iloc[::-1]
    figure = go.Figure()
    figure.add_bar(
        y=rows["name"],
        x=rows["rate"],
        text=rows["told"],
        textposition="outside",
        cliponaxis=False,
        orientation="h",
        showlegend=False,
        hovertemplate="%{y}: %{x:.1%}<extra></extra>",
    )
    highest = float(rows["rate"].max()) if len(rows) else 0.0
    figure.update_layout(bargap=0.35)
    figure.update_xaxes(range=[0, max(highest * 2.4, 0.05)], tickformat=".0%", title=t("share"), nticks=5)
    figure.update_yaxes(title=None, automargin=True, ticksuffix="  ")
    return _plain(figure, 80 + _ROW * max(len(rows), 2))
