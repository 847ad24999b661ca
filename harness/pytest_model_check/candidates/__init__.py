"""Candidates: what is fitted or asked, and how it answers."""
