"""The local cloud: the deployed templates, the state machine and the container programs on one machine."""
