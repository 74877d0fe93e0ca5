"""With what: the libraries and stores behind the engine's ports."""
