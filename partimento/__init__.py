"""partimento: teach a machine music from examples, and make new music with it."""

__version__ = "0.1.0"
