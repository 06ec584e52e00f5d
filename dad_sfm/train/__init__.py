"""Training.  Nothing outside this package imports it.

A run is three plugs in one loop: *data* (a source of `PairBatch`), a *network* (images to logits)
and an *objective* (logits and batch to a loss).  Each can be changed without the other two.
"""
