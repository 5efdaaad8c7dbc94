"""The preprocessing container: rows of daily demand in, series as JSON Lines out."""
