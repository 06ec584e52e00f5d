"""TraqPoint: keypoints that are rewarded for how long they can be tracked."""
