"""Training.  Nothing outside this package imports it.

A run is three plug-ins in one loop: *data* (a source of batches of one kind), a *network* and an
*objective* (network and batch to a loss).  Each can be changed without the other two.
"""
