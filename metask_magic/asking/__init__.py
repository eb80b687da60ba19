"""How it is asked: one cell's requests, from the network's thread to whoever shows them."""
