"""pytest-model-check: the regression test for a model's accuracy."""
