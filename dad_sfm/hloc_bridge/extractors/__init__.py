"""Found by hloc as ``hloc.extractors.<module>``; see `hloc_bridge.register`."""
