"""What a support engineer would check, each with its finding and its fix."""
