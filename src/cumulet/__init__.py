"""Cumulet: a small cloud that does the work and keeps it."""

__version__ = "0.1.0"
