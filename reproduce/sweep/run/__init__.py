"""One run: from a specification to its result."""
