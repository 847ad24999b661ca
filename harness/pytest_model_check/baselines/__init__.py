"""Baselines: what was approved, its life and its files."""
