"""Daily demand of items in stores: reading a file of it, and finding what is wrong with one; standard library only."""

from headrace.demand.mistakes import Mistake
from headrace.demand.reading import COLUMNS, DemandError, Series, find_mistakes, read_demand

__all__ = ["COLUMNS", "DemandError", "Mistake", "Series", "find_mistakes", "read_demand"]
