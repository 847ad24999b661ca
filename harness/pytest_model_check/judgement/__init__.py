"""Judgement: scores of both models and a margin -> verdict. Pure, and free of pandas and scikit-learn."""
