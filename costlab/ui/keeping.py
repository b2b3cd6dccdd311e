"""Where what a visitor changes is kept: in the user's home, or, on a server for several people, in the session alone.

A server is **public** where `COSTLAB_PUBLIC` says so, else where it listens beyond this machine. Then recordings,
prices and favourites are a session's own, in memory, and the home is not read either: it may hold what is nobody
else's business. `COSTLAB_PUBLIC=home` shows the home's recordings and prices to all, and still writes nothing.
Pages ask the functions here and never how it is kept.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from ipaddress import ip_address

import streamlit as st

import costlab as cl

SETTING, LIVE, LIVE_USD = "COSTLAB_PUBLIC", "COSTLAB_LIVE", "COSTLAB_LIVE_USD"
_NO = ("0", "no", "false", "off")
_MEGABYTE = 2**20
_MOST_SECONDS = 1_800  # of one live run on a public server
_USUALLY_LENT = "5"  # USD
_MOST_RATES = 20_000  # price rows that one session of a public server holds


def _said() -> str:
    return os.environ.get(SETTING, "").strip().lower()


def public() -> bool:
    """Return whether several people use this server: said by the setting, else whether it listens beyond localhost.

    An address that nobody set is every address, and a word that is not known counts as yes.
    """
    return not _loopback(st.get_option("server.address")) if not _said() else _said() not in _NO


def _loopback(address: object) -> bool:
    """Whether an address reaches this machine alone; a socket file is mostly there for a proxy."""
    name = str(address or "").strip("[]").lower()
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def shows_home() -> bool:
    """Return whether visitors see what the home holds."""
    return not public() or _said() == "home"


def _lent() -> frozenset[str]:
    """Return what the owner of a public server lends its visitors for live runs."""
    return frozenset(os.environ.get(LIVE, "").lower().replace(",", " ").split())


def _lent_usd() -> Decimal:
    """Return what all visitors together may spend with the owner's keys; what is no amount lends nothing."""
    try:
        amount = Decimal(os.environ.get(LIVE_USD, "").strip() or _USUALLY_LENT)
    except InvalidOperation:
        return Decimal(0)
    return amount if amount.is_finite() and amount >= 0 else Decimal(0)


def live_off() -> bool:
    """Return whether no live run can be started here."""
    return "off" in _lent()


def trial_rules() -> cl.TrialRules:
    """Return what may be run live: on one's own machine anything, on a public server what its owner says.

    There a visitor's runs are kept in memory, and the owner's keys, the addresses that the server can reach, its
    processor and model-written code are off unless `COSTLAB_LIVE` names them: `keys,addresses,local,code`. With the
    owner's keys all visitors together spend at most `COSTLAB_LIVE_USD`, until the server is started anew.
    """
    if not public():
        return cl.TrialRules()
    lent = _lent()
    return cl.TrialRules(
        kept=False, environment="keys" in lent, addresses="addresses" in lent, small="local" in lent,
        code="code" in lent, most_seconds=_MOST_SECONDS, lent_usd=_lent_usd() if "keys" in lent else None,
    )  # fmt: skip


@st.cache_resource(show_spinner=False)
def _trials(home: str, rules: cl.TrialRules) -> cl.Trials:
    return cl.trials(rules)


def trials() -> cl.Trials:
    """Return the live runs of this server; who has the link of one sees and stops it."""
    return _trials(str(cl.home()), trial_rules())


def upload_megabytes() -> int:
    """Return how large one uploaded file may be: what the server allows, and less where several people use it."""
    allowed = int(st.get_option("server.maxUploadSize"))
    return min(allowed, 20) if public() else allowed


def checked_size(name: str, size: int) -> None:
    """Refuse an upload past the limit, whatever the browser let through; raises TooLarge."""
    if size > upload_megabytes() * _MEGABYTE:
        raise cl.TooLarge(f"has more than {upload_megabytes()} MB, the most that is taken here", file=name)


def checked_rates(rates: int) -> None:
    """Refuse more of a session's own price rows than a public server holds for one; raises TooLarge."""
    if public() and rates > _MOST_RATES:
        raise cl.TooLarge(f"a session holds at most {_MOST_RATES:,} price rows of its own here, not {rates:,}")


@st.cache_resource(show_spinner=False)
def _on_disk(home: str) -> cl.Store:
    return cl.Store()


@st.cache_resource(show_spinner=False)
def _shipped() -> cl.Store:
    return cl.shipped_only()


@st.cache_resource(show_spinner=False)
def _room() -> cl.Room:
    return cl.Room()


def store() -> cl.Store:
    """Return the recordings: those shipped, and the user's or the session's own."""
    if not public():
        return _on_disk(str(cl.home()))
    held: cl.MemoryStore | None = st.session_state.get("own_store")
    if held is None:
        base = _on_disk(str(cl.home())) if shows_home() else _shipped()
        held = st.session_state.own_store = cl.MemoryStore(base, room=_room())
    return held


def read_favourites() -> tuple[str, ...]:
    """Return the user's own set of models; raises BadInput where their file cannot be read."""
    kept: tuple[str, ...] | None = st.session_state.get("own_favourites")
    return kept if kept is not None else cl.read_favourites() if shows_home() else ()


def save_favourites(models: Iterable[str]) -> None:
    """Keep the user's own set of models; raises CostLabError where it cannot be written."""
    if public():
        st.session_state.own_favourites = tuple(models)
    else:
        cl.save_favourites(models)


def own_rates() -> tuple[cl.Rate, ...]:
    """Return the prices that this session has saved on a public server; elsewhere they are in the user's file."""
    rates: tuple[cl.Rate, ...] = st.session_state.get("own_rates", ()) if public() else ()
    return rates


def read_overrides() -> cl.Overrides:
    """Return the saved prices and their version; raises BadInput where the user's file cannot be read."""
    return cl.Overrides(own_rates(), version="session") if public() else cl.read_overrides()


def save_overrides(rows: Iterable[cl.Rate], expected_version: str) -> None:
    """Save prices; raises Conflict if another session changed the user's file since `expected_version`."""
    if public():
        st.session_state.own_rates = tuple(rows)
    else:
        cl.save_overrides(rows, expected_version=expected_version)
