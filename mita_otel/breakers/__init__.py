"""Circuit breakers: a dependency that fails is left alone until it has had time to recover."""
