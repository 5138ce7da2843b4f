"""Clients of the API as front-end teams use them, from npm, against a server."""
