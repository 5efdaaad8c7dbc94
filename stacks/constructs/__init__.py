"""The pieces the stacks are wired from."""
