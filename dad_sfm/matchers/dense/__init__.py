"""Dense matchers: RoMa, RoMa v2 and LoFTR.  They are entries of `MATCHERS` like all others."""
