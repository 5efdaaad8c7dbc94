"""Turns raw text into sentences of words, and holds some labelled ones out."""
