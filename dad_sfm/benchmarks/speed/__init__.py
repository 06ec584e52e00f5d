"""How long extraction and matching take, beside peers and plain loops in the same run."""
