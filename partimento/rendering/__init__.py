"""A score to hear and to see: audio, piano roll as SVG and PNG, a small one for the terminal."""
