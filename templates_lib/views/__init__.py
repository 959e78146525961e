"""Pages of the template library."""
