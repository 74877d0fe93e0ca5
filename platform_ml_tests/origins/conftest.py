from platform_ml_tests.origins.postgres import database, server

__all__ = ["database", "server"]
