"""Where hloc looks for matchers."""
