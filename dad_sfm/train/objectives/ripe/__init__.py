"""RIPE: keypoints and descriptors from pairs of images of which only a label is known.

Kuenzel, Hilsmann, Eisert, ICCV 2025 (arXiv 2507.04839); written from the paper.
"""
