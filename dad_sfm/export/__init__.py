"""What other programs read: networks as ONNX, databases for older COLMAPs."""
