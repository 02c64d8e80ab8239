"""Builds and checks the manual: generated reference pages, links, and the commands that the pages show.

`tools/site_hooks.py` calls it from MkDocs, the tests in `tests/docs` from pytest.
"""
