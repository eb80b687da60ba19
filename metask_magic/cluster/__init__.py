"""A table's requests asked by the workers of a `dask.distributed` cluster."""
