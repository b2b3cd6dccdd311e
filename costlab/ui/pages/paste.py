import streamlit as st

import costlab as cl
from costlab.ui import pasted, pieces, session

t = session.words()
st.caption(t("Paste one response or usage block of any provider: see what it cost, line by line. Nothing is stored."))
table = session.table()
pasted.examples(t)
text, model, day = pasted.asked(sorted("/".join(key) for key in table.rates), t)
if not text.strip():
    st.info(
        t("Paste a response above and press the button, or try an example. For a whole run, make a recording:"),
        icon=":material/content_paste:",
    )
    pieces.three_lines(t)
    st.stop()
found: cl.Quote | None = pasted.answer(text, model, day, table, t)
if found is None:
    st.stop()
pasted.figures(found, t)
pasted.told(found, t)
pasted.tables(found, t)
pieces.priced_with(table, [found.cost], t)
