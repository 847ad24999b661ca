"""Verdicts -> what people and machines read. Pure: nothing here fits, predicts, reads or writes."""
