"""Where replies go: the live view, the terminal, and the record that stays."""
