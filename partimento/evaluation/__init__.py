"""Evaluation: likelihood tables, musical statistics, memorisation."""
