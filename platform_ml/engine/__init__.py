"""How: closed machinery, one file per noun, free of Dagster and of any particular store."""
