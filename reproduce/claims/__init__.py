"""What is published, the rows it is held against, and the verdicts."""
