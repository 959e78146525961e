"""Background jobs of triggers."""
