"""Representations: music as integers and back."""
