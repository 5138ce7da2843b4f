"""What every use case stands on: scope, writer, guards, principals, policy store."""
