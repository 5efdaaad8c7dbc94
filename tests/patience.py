"""How long tests wait: for a state, not for a time. Only what hangs meets these ceilings, on a busy machine too."""

PATIENCE_SECONDS = 100
# pytest's ceiling for a test of real processes and the set-up of what it shares; pyproject.toml has that of the others.
SLOW_TEST_SECONDS = 900
