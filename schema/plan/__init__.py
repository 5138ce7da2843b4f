"""The compiler: a GraphQL query becomes one SQL statement under policy, and the database builds its JSON.

GraphQL reads records through this package only; the panel's lists have a reader of their own
(`resolvers/reading/pages.py`).  `shape` declares the fields of each type, `selection` reads the operation, `compile`
turns both into SQLAlchemy Core, `dialect` holds the JSON functions of the two databases, `reader` runs the statement,
`plans` and `documents` are its caches.
"""
