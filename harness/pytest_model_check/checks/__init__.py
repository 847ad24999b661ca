"""Checks: what is promised of each model."""
