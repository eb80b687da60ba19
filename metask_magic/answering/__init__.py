"""Who answers: the models a cell names, the gateway or the embedded model, and recordings."""
