"""The second plug: what a network is trained for.  Pure functions of logits and a batch."""
