"""Where work on many photos is done: in processes of this machine, or on a Ray cluster.

It knows nothing of faces, only workers and items: of amgan it imports `errors` and `processes`, and `data` and all that
comes after may use it.
"""
