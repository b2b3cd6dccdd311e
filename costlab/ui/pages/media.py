import streamlit as st

import costlab as cl
from costlab.ui import choices, pieces, session, sizes

t = session.words()
st.caption(t("What a picture, a sound, a film or a document takes and costs on each model, by its vendor's formula."))
prices = session.table()
names = session.model_names(prices)
request = sizes.asked(t)
models = choices.models(names, prices, t)
sizes.takers(str(request["kind"]), names, t)
if not models:
    st.info(t("Choose at least one model above."), icon=":material/image:")
    st.stop()
usual = cl.price_media(request, models, prices, now=session.now(), t=t)
level = sizes.level(usual, t)
found = cl.price_media(request, models, prices, levels=(level,), now=session.now(), t=t) if level else usual
frame = cl.frames.media(found)
sizes.chart(frame, t)
sizes.table(frame, t)
levels = [one for one in cl.LEVELS if any(one in quote.levels for quote in usual)]
if levels:
    columns = {
        sizes.level_name(one, t): cl.price_media(request, models, prices, levels=(one,), now=session.now(), t=t)
        for one in ("", *levels)
    }
    sizes.grid(columns, "levels", t("By level of detail"), t)
    st.caption(t("A dash: no such level, or no formula known. A model without levels counts the same at all of them."))
if request["kind"] == "image":
    sizes.grid(sizes.at_sizes(request, models, level, prices), "sizes", t("By size, in the same shape"), t)
pieces.priced_with(prices, [one.cost for one in found if one.cost], t)
