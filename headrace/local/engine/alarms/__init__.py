"""Alarms of CloudWatch: their metrics, their expressions, and what state they are in. Nothing here knows the engine."""
