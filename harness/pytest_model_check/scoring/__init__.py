"""Scoring: predictions -> scores, one influence value a row."""
