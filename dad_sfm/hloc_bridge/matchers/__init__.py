"""Found by hloc as ``hloc.matchers.<module>``; see `hloc_bridge.register`."""
