"""A trial: several models over the same rows, their answers checked, and what that tells of the models."""
