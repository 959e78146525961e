"""Pages and addresses of workflows, one module per resource."""
