"""What crosses the durable boundary? Names, and small messages without secrets.

Durable stores every message for good and replays it, so each stays the same size whatever the number of blobs.
"""
