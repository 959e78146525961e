"""The editor of a draft: blocks with a side panel, and the same draft as JSON text."""
