"""The tables: which runs each is made of, and how their results fold into rows."""
