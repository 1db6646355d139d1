"""The laboratory: from data to tables that stand beside what was published."""
