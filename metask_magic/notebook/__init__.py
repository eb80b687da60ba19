"""What a user types: the magics, their options, the prompt, the commands."""
