"""The app: Streamlit over the library's one door. `app.py` routes; a page is a plain script in `pages/`."""
