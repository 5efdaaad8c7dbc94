"""Sequence-to-sequence: pairs of sentences into numbered tokens, and the program that learns and translates them."""
