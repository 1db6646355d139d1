"""Who runs: Dask hands runs out, and each goes to a process that can be stopped at any moment or asked to repeat it."""
