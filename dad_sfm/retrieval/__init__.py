"""Which photos look alike: one vector per image, and the nearest of each in bounded memory."""
