"""What a project says: frozen values of the standard library. A wrong one cannot be made."""
