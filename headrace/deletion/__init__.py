"""The end of an environment: deleted with all that it holds, or with what it must keep, and that found again."""
