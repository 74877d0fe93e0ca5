"""When: declarations become Dagster assets, checks, partitions and jobs. The only floor that imports Dagster."""
