"""Shipped test code: a contract class for every open set, and declarations to test with."""
