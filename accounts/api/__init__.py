"""What every endpoint of the API shares: keys, scopes, rate limits, problems, pages; and the endpoints about people."""
