"""Agents that play games through object keypoints: recurrent double Q-learning.

The agents of PermaKey (arXiv 2011.12930): a frozen network of keypoints sees, a small encoder and
an LSTM learn what to do.
"""
