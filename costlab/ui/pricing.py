"""Prices on a page: edited in place, listed against the base, saved, taken back, imported and exported.

Streamlit matches edits of its editor by row position and drops them when the shown rows change, so an edit is read
from the returned frame by its index, kept in the session at once, and the editor begins anew on the new values.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import streamlit as st

import costlab as cl
from costlab.ui import keeping, pieces, session

MOST_MODELS = 40
_UNSET = "—"


def matching(names: Sequence[str], search: str) -> list[str]:
    """Return the models whose names hold all words of a search, best first; without one, those that are compared."""
    words = search.lower().split()
    if not words:
        chosen = st.session_state.get("models") or [m for m in cl.default_models() if m in names]
        return [name for name in chosen if name in names]
    found = [name for name in names if all(word in name.lower() for word in words)]
    return sorted(found, key=lambda name: [not fits for fits in _how_well(name.lower(), words[0])])


def _how_well(name: str, word: str) -> tuple[bool, ...]:
    """Return how well a name answers a search, the best sign first."""
    part = cl.model_part(name)
    return name == word, part == word, name.startswith(word), part.startswith(word)


def editor(wanted: Sequence[str], every: bool, table: cl.PriceTable, changed: Sequence[cl.Edit], t: cl.Words) -> None:
    """Show the rates in force of some models, or their standard ones, and take what is changed in them.

    A price that the session changed stands beside the base's.
    """
    moment = session.now()
    rates = [rates for name in wanted[:MOST_MODELS] if (rates := table.find(*name.split("/", 1)))]
    rows = [(one, row) for one in rates for row in cl.shown(one, moment) if every or not row.when]
    decimals = max([2, *(-int(row.price.normalize().as_tuple().exponent) for _, row in rows if row.price)])
    frame = cl.frames.rates((row for _, row in rows), t)
    # As text: a field of numbers makes 0 of letters and 3 of -3, and says nothing.
    frame["price"] = before = [_typed(price, min(decimals, 8)) for price in frame["price"]]
    frame.index = cl.frames.keys(row for _, row in rows)
    was = {(one.after.group, one.after.utc_windows): one for one in changed}
    edits = [was.get((row.group, row.utc_windows)) for _, row in rows]
    if any(edits):
        frame.insert(4, "base", [_base(one) for one in edits])
    _refused(t)
    edited = st.data_editor(
        frame,
        key=f"rates-{st.session_state.get('editor_round', 0)}",
        hide_index=True,
        num_rows="fixed",
        column_order=["model", "unit", "price", "base", "per", "conditions", "source", "valid_from", "read_at", "note"],
        disabled=[name for name in frame.columns if name != "price"],
        height=min(38 + 35 * max(len(frame), 1), 430),
        alt=t("Prices in force; the price column can be edited"),
        placeholder=_UNSET,
        column_config=_rate_columns(f"$%.{min(decimals, 8)}f", t),
    )
    if len(wanted) > MOST_MODELS:
        st.caption(
            t("{shown} of {all} models are shown; a longer search text narrows them.").format(
                shown=MOST_MODELS, all=f"{len(wanted):,}"
            )
        )
    _take(rows, before, [typed if isinstance(typed, str) else None for typed in edited["price"]], t)


def _rate_columns(money: str, t: cl.Words) -> dict[str, Any]:
    hint = t("Type an amount. Empty: no price, so the unit is unpriced. 0: it is free.")
    return {
        "model": st.column_config.TextColumn(t("Model"), pinned=True),
        "unit": st.column_config.TextColumn(t("Unit")),
        "conditions": st.column_config.TextColumn(t("Conditions"), width=150),
        "price": st.column_config.TextColumn(t("Price (USD), editable"), alignment="right", max_chars=40, help=hint),
        "base": st.column_config.NumberColumn(t("Base (USD)"), format=money),
        "per": st.column_config.TextColumn(t("For")),
        "source": st.column_config.TextColumn(t("Source")),
        "valid_from": st.column_config.TextColumn(t("Valid from")),
        "read_at": st.column_config.TextColumn(t("Read on")),
        "note": st.column_config.TextColumn(t("Note")),
    }


def _typed(price: float | None, decimals: int) -> str | None:
    """Return a price as its cell shows it."""
    return None if price is None or price != price else f"${price:.{decimals}f}"


def _base(one: cl.Edit | None) -> float | None:
    """Return what a changed price was in the base; nothing for one that is as it was."""
    before = one.before if one else None
    return None if before is None or before.price is None or before.doubtful else float(before.price)


def _refused(t: cl.Words) -> None:
    """Say once which price was not taken, and why; its cell shows what it was."""
    told = st.session_state.pop("price_problem", "")
    if told:
        st.error(pieces.plain(told), title=t("This price was not taken"), icon=":material/error:")


def _take(
    rows: Sequence[tuple[cl.ModelRates, cl.Rate]], before: Sequence[str | None], after: Sequence[str | None],
    t: cl.Words,
) -> None:  # fmt: skip
    """Keep the prices that were changed in the editor; one that cannot be a price is refused with a reason."""
    new: list[cl.Rate] = []
    for (rates, row), old, typed in zip(rows, before, after, strict=True):
        if (typed or "") == (old or ""):
            continue
        try:
            price = cl.typed_price(typed)
            new += cl.edit(rates, row, price, at=session.now(), today=session.now().date())
        except cl.BadInput as problem:
            st.session_state.price_problem = cl.error_text(problem, t)
            session.begin_editor_anew()
            st.rerun()
    if new:
        session.set_edits(_changing(cl.merged(session.edits(), new)))
        st.rerun()


def _changing(edits: session.Edits) -> session.Edits:
    """Return edits without those groups that say what the table without them says: a base price was typed again."""
    base, moment = session.base_table(), session.now()
    return {group: rows for group, rows in edits.items() if cl.differences(base, rows, moment)}


def changes(found: Sequence[cl.Edit], t: cl.Words) -> None:
    """Show the session's own prices against the base, and what can be done with them."""
    if st.session_state.pop("saved_prices", False):
        here = t("Kept in this browser tab; download them as CSV to have them longer.")
        told = here if keeping.public() else t("Saved to your price file; new sessions start with it.")
        st.success(told, icon=":material/check_circle:")
    if not found and not session.can_undo():
        return
    st.subheader(t("Changed in this session"))
    if found:
        frame = cl.frames.edits(found, t)
        st.dataframe(
            frame,
            hide_index=True,
            key="changed",
            alt=t("Prices changed in this session against the base"),
            placeholder=t("unpriced"),
            column_config=_edit_columns(t),
        )
        if any(one.after.price == 0 for one in found):
            st.caption(t("A price of 0 says that the unit is free."))
    if found:
        st.caption(t("Not saved yet: reloading or closing this browser tab forgets it."))
    _doors(bool(found), t)
    told = st.session_state.pop("save_problem", None)
    if told:
        st.error(pieces.plain(told), title=t("Nothing was saved"), icon=":material/error:")
        st.caption(t("The prices saved by the other session are in the table now. Look at yours and save again."))


def _edit_columns(t: cl.Words) -> dict[str, Any]:
    return {
        "model": st.column_config.TextColumn(t("Model"), pinned=True),
        "unit": st.column_config.TextColumn(t("Unit")),
        "conditions": st.column_config.TextColumn(t("Conditions"), width=150),
        "base": st.column_config.NumberColumn(t("Base (USD)"), format="$%.4f"),
        "new": st.column_config.NumberColumn(t("New (USD)"), format="$%.4f"),
        "change": st.column_config.NumberColumn(t("Change"), format="%+.1f%%"),
        "per": st.column_config.TextColumn(t("For")),
    }


def saved(t: cl.Words) -> None:
    """Show the user's saved prices against the base, and the way back to the base's."""
    found = session.saved_edits()
    if not found:
        return
    label = t.plural("{n} saved price of your own", "{n} saved prices of your own", len(found))
    with st.expander(label, icon=":material/bookmark:"):
        st.caption(t("Choose rows to have their base prices back."))
        shown = st.dataframe(
            cl.frames.edits(found, t),
            hide_index=True,
            key=f"saved-{st.session_state.get('editor_round', 0)}",
            on_select="rerun",
            selection_mode="multi-row",
            alt=t("Your saved prices against the base"),
            placeholder=t("unpriced"),
            column_config=_edit_columns(t),
        )
        rows = shown["selection"]["rows"]
        groups = {found[place].after.group for place in rows if place < len(found)}
        label = t("Back to the base price")
        st.button(label, icon=":material/restore:", key="forget", on_click=_forget, args=(groups,), disabled=not groups)


def _forget(groups: Collection[object]) -> None:
    """Take prices out of the user's saved ones."""
    try:
        held = keeping.read_overrides()
        keeping.save_overrides([row for row in held.rows if row.group not in groups], held.version)
    except cl.CostLabError as problem:
        st.session_state.save_problem = cl.error_text(problem, session.words())
        return
    session.begin_editor_anew()


def _doors(changed: bool, t: cl.Words) -> None:
    """Show what can be done with the session's own prices."""
    with st.container(horizontal=True):
        st.button(t("Undo"), icon=":material/undo:", key="undo", on_click=session.undo, disabled=not session.can_undo())
        st.button(
            t("Discard all"),
            icon=":material/delete_sweep:",
            key="discard",
            on_click=session.set_edits,
            args=({},),
            disabled=not changed,
        )
        st.button(
            t("Keep in this tab") if keeping.public() else t("Save to my price file"),
            icon=":material/save:",
            type="primary",
            key="save",
            on_click=_save,
            disabled=not changed,
        )
        st.download_button(
            t("Download as CSV"),
            cl.prices_csv(session.rows_of(session.edits())),
            file_name="overrides.csv",
            mime="text/csv",
            icon=":material/download:",
            key="download_prices",
            on_click="ignore",
            disabled=not changed,
        )


def _save() -> None:
    """Write the session's prices into the user's file, unless somebody changed it since this session read it."""
    try:
        held, own = keeping.read_overrides(), session.rows_of(session.edits())
        groups = {row.group for row in own}
        rows = [*(row for row in held.rows if row.group not in groups), *own]
        keeping.save_overrides(rows, st.session_state.get("overrides_version", held.version))
    except cl.CostLabError as problem:
        st.session_state.save_problem = cl.error_text(problem, session.words())
        return
    st.session_state.saved_prices = True
    st.session_state.price_history = []
    st.session_state.edits = {}
    session.begin_editor_anew()


def upload(t: cl.Words) -> None:
    """Show the upload of a price file; its rows become the session's, or it is refused whole with a reason."""
    most = min(32, keeping.upload_megabytes())
    upload = st.file_uploader(
        t("Import a price file (CSV)"),
        key=f"prices-{st.session_state.get('price_upload_round', 0)}",
        max_upload_size=most,
        help=t("The columns of overrides.csv; at least provider, model, unit and price"),
    )
    pieces.uploader_words(t, most)
    if upload is not None:
        try:
            keeping.checked_size(upload.name, upload.size)
            rows = cl.parse_prices(upload.getvalue(), upload.name)
            keeping.checked_rates(len(rows) + len(session.rows_of(session.edits())) + len(keeping.own_rates()))
        except cl.CostLabError as problem:
            st.session_state.price_import = (False, cl.error_text(problem, t))
        else:
            session.set_edits(cl.merged(session.edits(), rows))
            st.session_state.price_import = (True, t.plural("{n} row taken", "{n} rows taken", len(rows)))
        st.session_state.price_upload_round = st.session_state.get("price_upload_round", 0) + 1
        st.rerun()


def import_answer(t: cl.Words) -> None:
    """Say once what came of an import."""
    good, told = st.session_state.pop("price_import", (True, ""))
    if told and good:
        st.success(pieces.plain(told), icon=":material/check_circle:")
    elif told:
        st.error(pieces.plain(told), title=t("Not imported, nothing was changed"), icon=":material/error:")


def before_and_after(
    run: cl.Run, found: Sequence[cl.Edit], base: cl.PriceTable, table: cl.PriceTable, t: cl.Words
) -> None:
    """Show what the changed models cost on a run at base prices and at the session's."""
    names = list(dict.fromkeys(f"{one.after.provider}/{one.after.model}" for one in found))
    known = [name for name in names if base.find(*name.split("/", 1))]
    before = {one.name: one.cost for one in session.compared(run, known, base, "call")}
    after = {one.name: one.cost for one in session.compared(run, names, table, "call")}
    columns: dict[str, list[str]] = {t("Model"): [], t("Base"): [], t("Edited"): [], t("Difference"): []}
    for name, cost in after.items():
        old = before.get(name)
        same = old is not None and not old.unpriced and not cost.unpriced
        cells = (
            name,
            _money(old, t),
            _money(cost, t),
            cl.change(old.total, cost.total) if same and old is not None else _UNSET,
        )
        for values, cell in zip(columns.values(), cells, strict=True):
            values.append(pieces.plain(cell))
    st.table(columns, border="horizontal", hide_index=True, alt=t("The run at base and at edited prices"))


def _money(cost: cl.Cost | None, t: cl.Words) -> str:
    return _UNSET if cost is None else pieces.amount(cost, t)
