"""Word vectors and text classification."""
