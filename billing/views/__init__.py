"""Pages of plans and usage."""
