"""The fenced engine of the local cloud: its server, its door, and what MiniStack lacks or takes too easily."""
