"""Old code: the approved model, run again where the data has moved."""
