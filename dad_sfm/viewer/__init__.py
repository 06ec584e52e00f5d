"""A model in the browser, also while it grows."""
