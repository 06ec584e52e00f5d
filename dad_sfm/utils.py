"""Names of the original package's module ``dad.utils``, for its users' scripts."""

from .report.drawing import visualize_keypoints

__all__ = ["visualize_keypoints"]
