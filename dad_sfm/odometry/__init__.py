"""Visual odometry: the path of a calibrated camera from the tracks of keypoints, frame to frame."""
