"""The database around the application: the embedded server, the roles, the development secrets."""
