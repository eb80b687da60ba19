"""A request as a script of its own."""
