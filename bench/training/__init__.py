"""The benchmark of training: models per second, of many seeds."""
