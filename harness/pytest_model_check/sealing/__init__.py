"""Fits that can't see the answers: each in a sandbox of its own, with its rows, the code and its environment."""
