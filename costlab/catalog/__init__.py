"""Price tables and model facts on disk: read, resolved by name, refreshed from their sources, edited by the user."""
