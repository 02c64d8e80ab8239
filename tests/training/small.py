"""A run of a few steps of small networks, which several tests look at."""

from pathlib import Path

from amgan.training.config import TrainConfig

STAGE = {"image_size": 512, "patch": 64, "batch": 2, "steps": 1, "rate": 1e-3, "map_patch": (48, 64)}


def tiny(data: Path, critic: str = "features", steps: int = 2) -> TrainConfig:
    return TrainConfig.model_validate(
        {
            "data": data,
            "judge_share": 0.0,
            "generator": {"base_channels": 8, "blocks": 1},
            "critic": {"kind": critic, "base_channels": 8, "scales": 1 if critic == "conv" else 2},
            "map_head_every": 1,
            "precision": "fp32",
            "log_every": 1,
            "sheet_every": 3,
            "degraded": 0.5,
            "stages": [STAGE | {"steps": steps, "map_head_steps": 2 if critic == "features" else 0}],
        }
    )
