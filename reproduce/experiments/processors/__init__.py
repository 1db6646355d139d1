"""What noise and Google's processors cost."""
