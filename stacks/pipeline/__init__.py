"""The state machines: what runs in them, step by step."""
