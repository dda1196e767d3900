"""Music as values: scores, notation, timing, transforms, keys."""
