"""A live monitor for Redis and Valkey in the terminal."""

__version__ = "0.1.0"
