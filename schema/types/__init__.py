"""The GraphQL types: derived from the models, computed fields, scalars."""
