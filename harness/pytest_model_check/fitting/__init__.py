"""Fitting: a candidate in every split -> the out-of-fold predictions."""
