"""What it means: messages, replies, and how one is asked for."""
