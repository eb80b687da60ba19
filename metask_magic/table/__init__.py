"""A prompt over a table: its rows, what is asked about them, and the table with the answers."""
