"""Gradients before training, and ways to begin it."""
