"""What the service calls: the cache, the rates API, the insights API."""
