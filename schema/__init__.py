"""The GraphQL door: types derived from the models, thin mutations, and the compiler that reads."""
