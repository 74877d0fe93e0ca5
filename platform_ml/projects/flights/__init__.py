"""Delayed arrivals: flights out of New York in 2013, hourly weather and planes."""
