import os
import platform
import subprocess
import sys

import pytest

# Writes to blocks of 64 MB and frees them, and prints how many pages the system handed out for the last ten.
COUNT = """
import os, resource
from amgan.memory import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        b"x" * 2**26
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

before = faults()
keep_freed_memory()
faults()
print(before, faults(), os.environ["GLIBC_TUNABLES"])
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_what_is_freed_is_used_again_and_who_chose_is_left_alone() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "GLIBC_TUNABLES"}
    for own in ({}, {"GLIBC_TUNABLES": "glibc.malloc.arena_max=2"}):
        done = subprocess.run(
            [sys.executable, "-c", COUNT], env=environment | own, capture_output=True, text=True, check=True
        )
        before, after, chosen = done.stdout.split()
        # Not none: the system may take pages back that it finds idle.
        assert int(before) > 1000 and int(after) < int(before) / 4
        assert chosen == own.get("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")
