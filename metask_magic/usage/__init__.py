"""What the requests have used, and what that may cost."""
