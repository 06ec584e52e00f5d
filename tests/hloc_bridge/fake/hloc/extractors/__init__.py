"""Where hloc looks for extractors."""
