"""Functions of the notebook that a model may call."""
