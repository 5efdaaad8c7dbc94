"""The platform on the local cloud: deployed, delivered to, run and looked at."""
