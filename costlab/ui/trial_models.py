"""Which models a live run has: of the price table, at an address, or the small local one; and the keys for them."""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st

import costlab as cl
from costlab.ui import keeping, pieces

SMALL = "smollm2-135m-instruct"
_HERE = ("localhost", "127.0.0.1", "::1", "host.docker.internal")


def entrants(names: list[str], t: cl.Words) -> list[cl.Entrant]:
    """Show the choice of models and return them with their keys; what is wrong with one is said beside it."""
    rules = keeping.trial_rules()
    wide, narrow = st.columns([8, 3], vertical_alignment="bottom")
    chosen = wide.multiselect(
        t("Models"),
        names,
        key="trial_models",
        persist_state="session",
        max_selections=cl.MOST_ENTRANTS,
        accept_new_options=True,
        placeholder=t("provider/model, one to four"),
        help=t("From the price table, or any other name that LiteLLM knows, written provider/model."),
        wrap=False,
    )
    with narrow, st.popover(t("A server of yours"), icon=":material/dns:", width="stretch"):
        own = _at_address(rules, t)
    hosted = _hosted([str(name).strip() for name in chosen], rules, t)
    return [*hosted, *own, *_small(rules, t)]


def _small(rules: cl.TrialRules, t: cl.Words) -> list[cl.Entrant]:
    """Offer the small local model, or say how to install it."""
    ready = rules.small and cl.local_model_ready()
    wanted = st.toggle(
        t("Try the meter: a small local model, no key"), key="trial_small", disabled=not ready, persist_state="session"
    )
    if ready:
        st.caption(cl.small_model_note(t))
    elif rules.small:
        st.caption(
            t(
                "Not installed yet. One command, in the environment that this app runs in, brings it; then start "
                "the app again:"
            )
        )
        st.code(cl.LOCAL_INSTALL, language=None)
    else:
        st.caption(t("Off on this shared server. Its owner switches it on with COSTLAB_LIVE=local."))
    return [cl.Entrant(SMALL, small=True)] if wanted and ready else []


def _at_address(rules: cl.TrialRules, t: cl.Words) -> list[cl.Entrant]:
    """Ask for an OpenAI-compatible address and its models."""
    off = not rules.addresses
    address = st.text_input(
        t("OpenAI-compatible address"),
        key="trial_address",
        placeholder="http://localhost:11434/v1",
        persist_state="session",
        disabled=off,
        help=t("Ollama, vLLM, llama.cpp or any server that speaks OpenAI's chat format."),
    )
    named = st.text_input(
        t("Its models, separated by commas"), key="trial_address_models", persist_state="session", disabled=off
    )
    key = st.text_input(
        t("Its key, if it needs one"), type="password", key="trial_address_key", persist_state="session", disabled=off
    )
    if off:
        told = t("Off on this shared server, which could reach what you should not. COSTLAB_LIVE=addresses allows it.")
        st.caption(told)
        return []
    models = [one.strip() for one in named.split(",") if one.strip()]
    url = address.strip().rstrip("/")
    if bool(url) != bool(models):
        st.caption(t("Needs both: the address and the name of a model there."))
        return []
    if url and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
        st.error(t("An address begins with http:// or https://."), icon=":material/error:")
        return []
    if "@" in urlsplit(url).netloc:  # it would stand in plain sight
        st.error(t("Put the key into its own field, not into the address."), icon=":material/error:")
        return []
    place = urlsplit(url).netloc
    return [
        cl.Entrant(f"{name} @ {place}", f"openai/{name.removeprefix('openai/')}", url, key or None) for name in models
    ]


def _hosted(names: list[str], rules: cl.TrialRules, t: cl.Words) -> list[cl.Entrant]:
    """Return models of the price table or by LiteLLM's name; a key is asked for where the environment has none."""
    good = [name for name in names if "/" in name.strip("/") and "://" not in name]
    for name in names:
        if name not in good:
            told = t("{name}: write it as provider/model.").format(name=name)
            st.error(pieces.plain(told), icon=":material/error:")
    keys = _keys(good, rules, t)
    return [cl.Entrant(name, cl.live_name(name), None, keys.get(name.partition("/")[0])) for name in good]


def _keys(names: list[str], rules: cl.TrialRules, t: cl.Words) -> dict[str, str | None]:
    """Ask for the keys that are not in the environment; they stay in this session's memory."""
    providers = {name.partition("/")[0]: name for name in names}
    held = {word: cl.key_variable(name) if rules.environment else None for word, name in providers.items()}
    set_ = sorted({variable for variable in held.values() if variable})
    if set_:
        st.caption(t("Key from the environment: {names}").format(names=", ".join(f"`{one}`" for one in set_)))
    missing = [word for word in providers if not held[word]]
    typed: dict[str, str | None] = {}
    for word, place in zip(missing, st.columns(len(missing)) if missing else (), strict=True):
        variable = cl.key_variables(providers[word])[0]
        hint = t("Kept in this session's memory until you close the page: in no file, link, log or recording.")
        own = t("{variable} is not set.").format(variable=variable) if rules.environment else ""
        given = place.text_input(
            t("Key for {provider}").format(provider=word),
            type="password",
            key=f"trial_key_{word}",
            persist_state="session",
            autocomplete="off",
            help=f"{hint} {own}",
        )
        typed[word] = given.strip() or None
    return typed


def without_key(found: list[cl.Entrant]) -> list[str]:
    """Return the models that need a key and have none, typed or in the environment."""
    lent = keeping.trial_rules().environment
    return [
        one.name
        for one in found
        if not one.small and not one.api_base and not one.api_key and not (lent and cl.key_variable(one.name))
        and (cl.one_key(one.name) or not lent)
    ]  # fmt: skip


def unbilled(one: cl.Entrant, table: cl.PriceTable) -> bool:
    """Return whether nobody bills a model: it runs on this machine, and by no hosted model's name."""
    here = bool(one.api_base and urlsplit(one.api_base).hostname in _HERE)
    return one.small or (here and not _has_price(one, table))


def unpriced(found: list[cl.Entrant], table: cl.PriceTable) -> list[str]:
    """Return the models that somebody may bill and whose price is not known."""
    return [one.name for one in found if not unbilled(one, table) and not _has_price(one, table)]


def _has_price(one: cl.Entrant, table: cl.PriceTable) -> bool:
    try:
        cl.resolve(one.model if one.api_base else one.name, table)
    except cl.UnknownModel:
        return False
    return True
