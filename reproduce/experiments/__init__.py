"""One module per experiment that trains no data set's table cell: a specification in, a result out."""
