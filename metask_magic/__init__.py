"""metask-magic: language models in a notebook cell."""
