"""The first plug: where pairs of views with a known warp come from.

Every source makes the same `batch.PairBatch`; `plugs.DATA` names them.
"""
