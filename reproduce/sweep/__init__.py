"""What is run, where results are kept, how far a sweep is, and how a run repeats."""
