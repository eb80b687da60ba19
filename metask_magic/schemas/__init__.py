"""What shape an answer has: structured output, said to the model and checked."""
