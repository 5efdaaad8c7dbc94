"""Headrace: an ML team's data and training platform, on AWS and on one machine."""
