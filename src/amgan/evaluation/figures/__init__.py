"""The figures of the paper, of any photos: a module a family, all listed in `registry`."""
