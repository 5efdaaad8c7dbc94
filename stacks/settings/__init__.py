"""The settings of an environment, by section."""
