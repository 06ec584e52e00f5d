"""Files for other programs: ONNX networks, COLMAP databases, splatting, nerfstudio."""
