"""Models, one page each, and `load`, which opens one by its name or folder."""
