"""The first plug: where batches come from.

`plugs` names the sources, in one registry for each kind of batch.
"""
