"""Turns parallel texts into numbered tokens and vocabularies, and holds some pairs out."""
