"""One module per fusion."""
