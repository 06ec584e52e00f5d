"""Frames of games and videos: recorded, stored, disturbed, and where the objects in them are.

Nothing of structure from motion knows this room.  Gymnasium and ale-py are the extra ``atari``.
"""
