"""A model in the browser, also while it is made."""
