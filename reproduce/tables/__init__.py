"""One module per table: which runs it is made of, and how they fold into rows."""
