"""Users: accounts, sign-in, passwords, tokens, preferences, viewing as another user."""
