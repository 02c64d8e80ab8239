"""Which numbers this processor is fast with."""

from __future__ import annotations

import torch


def has_fast_bf16() -> bool:
    """Whether this processor multiplies bfloat16 in hardware (AVX-512 BF16 or AMX).

    Elsewhere PyTorch emulates it: a training step was seen to take a hundred times longer than in float32.
    """
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
