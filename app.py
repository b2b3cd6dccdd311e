"""The app's entry: page settings, language, navigation. Run it with `streamlit run app.py`."""

import streamlit as st

import costlab as cl
from costlab.ui import keeping, session

st.set_page_config(page_title="CostLab", page_icon="costlab/ui/icon.png", layout="wide", initial_sidebar_state=230)
t = session.words()
PAGES = "costlab/ui/pages"
page = st.navigation(
    {
        t("Decide"): [
            st.Page(
                f"{PAGES}/compare.py",
                title=t("Compare"),
                icon=":material/compare_arrows:",
                default=True,
                help=t("What a recorded run would cost on other models' price lists."),
            ),
            st.Page(
                f"{PAGES}/sketch.py",
                title=t("Sketch"),
                icon=":material/draw:",
                url_path="sketch",
                help=t("What an agent would cost, from a few assumptions: no recording needed."),
            ),
        ],
        t("Agent runs"): [
            st.Page(
                f"{PAGES}/run.py",
                title=t("Run"),
                icon=":material/rocket_launch:",
                url_path="run",
                help=t("Run an agent live on up to four models and watch what it costs."),
            ),
            st.Page(
                f"{PAGES}/replay.py",
                title=t("Replay"),
                icon=":material/play_circle:",
                url_path="replay",
                help=t("Play a recorded run step by step and watch tokens and money rise."),
            ),
            st.Page(
                f"{PAGES}/recordings.py",
                title=t("Recordings"),
                icon=":material/folder_open:",
                url_path="recordings",
                help=t("Upload, inspect and delete recorded runs."),
            ),
            st.Page(
                f"{PAGES}/monitor.py",
                title=t("Monitor"),
                icon=":material/monitoring:",
                url_path="monitor",
                help=t("Speed, errors, tools and cost of one run or of many."),
            ),
        ],
        t("Rates"): [
            st.Page(
                f"{PAGES}/prices.py",
                title=t("Prices"),
                icon=":material/sell:",
                url_path="prices",
                help=t("Look up and edit prices; every page follows."),
            ),
            st.Page(
                f"{PAGES}/paste.py",
                title=t("Paste"),
                icon=":material/content_paste:",
                url_path="paste",
                help=t("Price one response or usage block, line by line. Nothing is stored."),
            ),
            st.Page(
                f"{PAGES}/media.py",
                title=t("Media"),
                icon=":material/image:",
                url_path="media",
                help=t("Tokens and price of a picture, sound, film or document on each model."),
            ),
        ],
    }
)
with st.sidebar:
    chosen = st.segmented_control(
        "Language · 语言",
        list(cl.LANGUAGES),
        format_func=lambda code: cl.LANGUAGES[code],
        key="language",
        required=True,
    )
    session.keep_in_link("lang", chosen)
    st.caption(f"CostLab {cl.__version__}")
st.title(page.title)
if keeping.public():
    st.caption(t("Shared server: what you change stays in this browser tab."))
page.run()
