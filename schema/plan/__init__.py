"""The compiler: a GraphQL operation becomes one SQL statement under policy, and the database builds the JSON.

There is no other way to read.  `shape` declares what a type is made of, `selection` reads what was asked, `compile`
joins both into SQLAlchemy Core, `dialect` knows the JSON functions of the two databases, `reader` runs it.
"""
