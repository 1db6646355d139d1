"""The report: every table, figure, claim and run of a results folder in one file that a browser opens from disk."""
