"""Who may use the console: users and roles, the ways to log in, sessions and tokens of forms."""
