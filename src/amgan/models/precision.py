"""Which numbers this processor is fast with."""

from __future__ import annotations

from typing import Literal

Precision = Literal["auto", "fp32", "bf16"]
# Half precision needs scaled gradients and is for GPUs without bfloat16.
TrainingPrecision = Literal["auto", "fp32", "bf16", "fp16"]


def has_fast_bf16() -> bool:
    """Whether this processor multiplies bfloat16 in hardware (AVX-512 BF16 or AMX).

    Elsewhere PyTorch emulates it: a training step was seen to take a hundred times longer than in float32.
    """
    import torch

    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def in_bf16(precision: Precision) -> bool:
    """Whether networks compute in bfloat16: as asked, and for "auto" where the processor is fast with it."""
    return precision == "bf16" or (precision == "auto" and has_fast_bf16())
