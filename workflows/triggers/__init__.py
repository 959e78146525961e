"""What starts runs: webhooks, schedules, services, forms, people and programs."""
