"""The parts of the Monitor page: which runs, the headline figures, the tables and charts, what each number is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import streamlit as st

import costlab as cl
from costlab.ui import choices, pieces, session

MOST_RUNS = 500


def choose_runs(runs: Mapping[str, cl.Run], t: cl.Words) -> list[cl.Run]:
    """Show the choice of recordings, which the link holds; none chosen means all of them."""
    named = st.query_params.get_all("runs")
    known = [run_id for run_id in named if run_id in runs]
    if len(known) < len(named):
        st.warning(t("The link names a recording that is not here; it is left out."), icon=":material/link_off:")
    st.session_state.monitored = known or [r for r in st.session_state.get("monitored", []) if r in runs]
    chosen = st.multiselect(
        t("Recordings"),
        list(runs),
        format_func=lambda run_id: pieces.label_of(runs[run_id], t),
        key="monitored",
        persist_state="session",
        placeholder=t("all {n} recordings").format(n=f"{len(runs):,}"),
        max_selections=MOST_RUNS,
        on_change=_to_link,
        wrap=False,
        help=t("Choose some of them, or leave it empty for all."),
    )
    _to_link()
    return [runs[run_id] for run_id in chosen] or list(runs.values())


def _to_link() -> None:
    chosen = list(st.session_state.monitored)
    if chosen:
        st.query_params["runs"] = chosen
    else:
        st.query_params.pop("runs", None)


def reference(names: Sequence[str], runs: Sequence[cl.Run], t: cl.Words) -> str:
    """Show the choice of the model that stands in for runs that nobody billed; empty where there are none."""
    local = any(run.local for run in runs)
    hint = t("Stands in for a run that nobody billed, such as one on a local model.")
    chosen = choices.reference(names, t, hint, disabled=not local)
    return chosen if local else ""


@st.cache_resource(max_entries=50, show_spinner=False)
def _measured(
    stamps: tuple[str, ...], model: str, version: str, at: str, hour: str, _runs: list[cl.Run], _table: cl.PriceTable
) -> cl.Metrics:
    return cl.metrics(_runs, _table, at=at, now=datetime.fromisoformat(hour), reference=model or None)


def measured(runs: list[cl.Run], table: cl.PriceTable, at: str, model: str) -> cl.Metrics:
    """Return the numbers of runs; asked again for the same runs, table and hour they are not computed again."""
    hour = session.now().replace(minute=0, second=0, microsecond=0).isoformat()
    stamps = tuple(session.store().stamp(run.run_id) for run in runs)
    return _measured(stamps, model, table.version, at, hour, runs, table)


def money(amount: cl.Amount | None, t: cl.Words, *, compact: bool = False) -> str:
    """Return an amount as text: a dash where there is none, words where nobody billed it."""
    if amount is None:
        return "—"
    if amount.local:
        return t("not billed")
    if compact:
        return cl.amount_name(cl.headline(amount.usd, lower_bound=amount.lower_bound), t)
    return cl.amount_name(cl.usd(amount.usd, lower_bound=amount.lower_bound, free=amount.free), t)


def definitions(t: cl.Words) -> dict[str, str]:
    """Return what each number of the page is, by its label."""
    return {
        t("Cost per run"): t("USD. The cost of the runs' own model calls over the number of runs."),
        t("Cost per right answer"): t(
            "USD. The cost of the runs whose answer was checked, over the right answers among them. A wrong answer's "
            "run is paid too; a run whose answer nobody checked is left out, it is no success."
        ),
        t("Response time, median"): t(
            "Seconds from request to whole answer, waits between tries included, of calls that were answered. Nearest "
            "rank: half of the calls took no longer."
        ),
        t("First token, median"): t("Seconds from request to the first token, of streamed calls that kept it."),
        t("Steps with an error"): t("Steps in which a call, a tool or the step itself failed, over all steps."),
        t("Tries of calls"): t(
            "Requests sent, repeats included; a call without a record of its tries counts as one. Wasted is the cost "
            "of calls that failed or were cut off: paid, without a whole answer."
        ),
        t("Model calls"): t("Requests to models, planning and managed agents included. A call that two recordings "
                            "hold, such as a resumed session's, counts once."),
        t("Tokens in / out"): t("Input with what was read from a cache, output with reasoning."),
    }  # fmt: skip


def headline_figures(found: cl.Metrics, t: cl.Words) -> None:
    """Show eight figures, each with its unit, what it was computed from, and how."""
    told = definitions(t)
    values = (*_money_figures(found, t), *_time_figures(found, t), *_count_figures(found, t))
    for row in (values[:4], values[4:]):
        for place, (label, value, below, doubts) in zip(st.columns(4), row, strict=True):
            with place:
                pieces.figure(label, value, cl.markdown(below), " ".join(filter(None, (told[label], doubts))))


Figure = tuple[str, str, str, str]  # label, value, what it was computed from, why it is a lower bound


def _money_figures(found: cl.Metrics, t: cl.Words) -> tuple[Figure, ...]:
    total = t.plural("{n} run, {usd} in all", "{n} runs, {usd} in all", found.runs)
    every = t("{right} of {checked} right")
    right = t("{right} of {checked} right; {unchecked} unchecked") if found.unchecked else every
    return (
        (
            t("Cost per run"),
            money(found.cost_per_run, t, compact=True),
            total.replace("{usd}", money(found.cost, t, compact=True)),
            doubts(found.cost, t),
        ),
        (
            t("Cost per right answer"),
            money(found.cost_per_correct, t, compact=True),
            right.format(right=found.correct, checked=found.checked, unchecked=found.unchecked),
            doubts(found.cost_checked, t),
        ),
    )


def doubts(amount: cl.Amount, t: cl.Words) -> str:
    """Return why an amount is a lower bound, as a sentence; empty where it is none."""
    why = "; ".join(cl.bound_name(reason, t) for reason in amount.reasons)
    return t("The true amount may be higher: {why}.").format(why=why) if why else ""


def _time_figures(found: cl.Metrics, t: cl.Words) -> tuple[Figure, ...]:
    def below(spread: cl.Spread) -> str:
        return t("95 %: {seconds}; n = {n}").format(seconds=pieces.lasting(spread.p95, t), n=f"{spread.n:,}")

    whole, first = found.latency, found.first_token
    nothing = t("n = 0: not recorded")
    return (
        (
            t("Response time, median"),
            pieces.lasting(whole.p50, t),
            below(whole) if whole.n else nothing,
            "",
        ),
        (
            t("First token, median"),
            pieces.lasting(first.p50, t),
            below(first) if first.n else nothing,
            "",
        ),
    )


def _count_figures(found: cl.Metrics, t: cl.Words) -> tuple[Figure, ...]:
    faulty, tries = found.faulty_steps, found.attempts
    rate = "—" if faulty.rate is None else f"{faulty.rate:.0%}"
    wasted = t("{failed} failed; {usd} wasted").format(failed=f"{tries.failed:,}", usd=money(tries.wasted, t))
    steps = t.plural("in {n} step", "in {n} steps", found.steps)
    counts = [cl.compact(found.counts.get(key, 0)) for key in ("input_tokens", "output_tokens")]
    bases = t(", ").join(f"{cl.basis_name(word, t)} {n:,}" for word, n in found.bases.items())
    return (
        (t("Steps with an error"), rate, cl.share_name(faulty.count, faulty.n, faulty.among, t), ""),
        (t("Tries of calls"), f"{tries.n:,}", wasted, doubts(tries.wasted, t)),
        (t("Model calls"), f"{found.calls:,}", steps, ""),
        (t("Tokens in / out"), " / ".join(counts), bases or "—", ""),
    )


def charts(found: cl.Metrics, t: cl.Words) -> None:
    """Draw how long answers took, where the money went, and what went wrong."""
    left, right = st.columns(2)
    with left:
        st.subheader(t("Response time by model (seconds)"))
        times = cl.frames.latencies(found)
        if times.empty:
            st.info(t("These recordings do not hold how long a call took."), icon=":material/timer_off:")
        else:
            told = t("How long each model's answers took; the median of all is {seconds}.")
            _draw(
                cl.charts.latency_boxes(times, t),
                "times",
                told.format(seconds=pieces.lasting(found.latency.p50, t)),
            )
    with right:
        st.subheader(t("What went wrong (share)"))
        kinds = cl.frames.faults(found, t)
        if not kinds["count"].any():
            st.success(t("Nothing went wrong in these runs, as far as they were recorded."))
        else:
            _draw(cl.charts.fault_bars(kinds, t), "faults", t("The share of what went wrong, by kind."))


def _draw(figure: Any, key: str, told: str) -> None:
    st.plotly_chart(figure, key=key, alt=told, config={"displayModeBar": False})


def model_table(found: cl.Metrics, t: cl.Words) -> None:
    """Show a row a model: calls, faults, times, tokens, money."""
    st.subheader(t("By model"))
    frame = cl.frames.by_model(found)
    if frame.empty:
        st.caption(t("No model was called."))
        return
    frame["cost"] = [money(one.cost, t) for one in found.models]
    st.dataframe(
        frame,
        hide_index=True,
        key="by_model",
        alt=t("Calls, times and cost of each model"),
        placeholder="—",
        column_order=["model", "calls", "cost", "p50_s", "p95_s", "timed", "first_token_s", "failed", "cut",
                      "input_tokens", "cached_tokens", "output_tokens"],
        column_config={
            "model": st.column_config.TextColumn(t("Model"), pinned=True),
            "calls": st.column_config.NumberColumn(t("Calls"), format="localized"),
            "cost": st.column_config.TextColumn(t("Cost (USD)"), alignment="right"),
            "failed": st.column_config.NumberColumn(t("Failed"), format="localized"),
            "cut": st.column_config.NumberColumn(t("Cut off"), format="localized"),
            "first_token_s": st.column_config.NumberColumn(t("First token, median (s)"), format="%.2f"),
            "input_tokens": st.column_config.NumberColumn(t("Input tokens"), format="localized"),
            "cached_tokens": st.column_config.NumberColumn(t("Of them from cache"), format="localized"),
            "output_tokens": st.column_config.NumberColumn(t("Output tokens"), format="localized"),
            **_times(t),
        },
    )  # fmt: skip


def _times(t: cl.Words) -> dict[str, Any]:
    return {
        "p50_s": st.column_config.NumberColumn(t("Median (s)"), format="%.2f"),
        "p95_s": st.column_config.NumberColumn(
            t("95 % (s)"), format="%.2f", help=t("Below 20 times this is the longest.")
        ),
        "timed": st.column_config.NumberColumn(t("Timed (n)"), format="localized"),
    }


def tool_part(found: cl.Metrics, t: cl.Words) -> None:
    """Show where the money went by tool, with the rule by which it was shared out, and what each tool did."""
    st.subheader(t("Money by tool (USD)"))
    frame = cl.frames.by_tool(found, t("no tool"))
    if not found.tool_calls:
        st.info(t("No tool was called in these runs, so no money is shared out."), icon=":material/build:")
        return
    allocation = found.allocation
    rule = t(
        "An allocation, not a bill: nobody charges for a tool's use of a model. A step's money goes in equal parts to "
        "the tools it called; where messages were kept, a tool's results carry their share of the input, however often "
        "they are sent. The parts sum to {usd}. Split by messages: {some} of {calls} calls."
    )
    usd = cl.usd(allocation.total, lower_bound=found.cost.lower_bound)
    st.caption(cl.markdown(rule.format(usd=usd, some=f"{allocation.by_messages:,}", calls=f"{allocation.calls:,}")))
    left, right = st.columns([2, 3])
    with left:
        if allocation.total:
            told = t("Money by tool; the dearest is {tool}.").format(tool=frame["tool"].iloc[0])
            _draw(cl.charts.tool_money(frame.head(15), t), "tool_money", told)
        else:
            st.info(t("No money to share out: nothing here has a price."), icon=":material/money_off:")
    with right:
        _tool_table(found, t)


def _tool_table(found: cl.Metrics, t: cl.Words) -> None:
    frame = cl.frames.by_tool(found, t("no tool"))
    format_ = f"$%.{cl.column_decimals([tool.usd for tool in found.tools])}f"
    st.dataframe(
        frame,
        hide_index=True,
        key="by_tool",
        alt=t("Calls, errors, times and money of each tool"),
        placeholder="—",
        column_order=["tool", "calls", "usd", "share", "errors", "error_rate", "p50_s", "p95_s", "timed", "results"],
        column_config={
            "tool": st.column_config.TextColumn(t("Tool"), pinned=True),
            "calls": st.column_config.NumberColumn(t("Calls"), format="localized"),
            "usd": st.column_config.NumberColumn(t("Money (USD)"), format=format_),
            "share": st.column_config.NumberColumn(t("Share"), format="percent"),
            "results": st.column_config.NumberColumn(t("Of it for its results (USD)"), format=format_),
            "errors": st.column_config.NumberColumn(t("Errors"), format="localized"),
            "error_rate": st.column_config.NumberColumn(t("Error rate"), format="percent"),
            **_times(t),
        },
    )


def how_computed(t: cl.Words) -> None:
    """Show what each number is."""
    with st.expander(t("How each number is computed"), icon=":material/calculate:"):
        st.table({label: pieces.plain(text) for label, text in definitions(t).items()}, border="horizontal")
