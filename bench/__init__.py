"""A benchmark of engines for quantum circuits: the same circuits and numbers for all, one process per cell."""
