"""What defines a generator, and what it takes; whatever runs it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from amgan.maps.kinds import MapKind


class GeneratorConfig(BaseModel):
    """Everything that defines a generator.

    Attributes:
        maps: What the aging map holds (the ablations of paper 5.4 and 5.5 know less than its zones).
        map_channels: Channels of the aging map; set from that and the atlas's packing.
        location_maps: Whether X and Y maps are given beside the aging map (the ablation of paper 5.5 has none).
        base_channels: Width behind the stem; doubles at each halving.
        depth: Halvings behind the stem.
        blocks: Residual blocks at the bottom.
        stem: Pixels folded into channels along each axis, a power of two.
        norm: "instance" is the paper's. Its statistics are those of a patch in training and of a whole photo in
            use; "layer" normalises over the channels of each pixel, so that a patch and a photo get the same answer.
        guarded: Whether what generators add that learn from critics alone is taken from its changes, in training and in
            use (`amgan.maps.change`): tints, flat grey in hair, creases where no sign lies.
        condition_channels: Hidden width of each SPADE's map convolution.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    maps: MapKind = "zones"
    map_channels: int = Field(default=1, ge=1)
    location_maps: bool = True
    base_channels: int = Field(default=64, ge=4, multiple_of=4)
    depth: int = Field(default=2, ge=1, le=5)
    blocks: int = Field(default=2, ge=0)
    stem: Literal[1, 2, 4, 8] = 4
    norm: Literal["layer", "instance"] = "layer"
    guarded: bool = True
    condition_channels: int = Field(default=32, ge=4)

    @property
    def multiple(self) -> int:
        """Height and width of a picture must be divisible by this."""
        return self.stem * (1 << self.depth)


def check_shapes(config: GeneratorConfig, image: Any, aging_map: Any, location: Any | None) -> None:
    """Refuses what a generator of this config cannot take; shapes as for `Generator.forward`, of tensors or arrays.

    Raises:
        ValueError: A shape does not fit, or location maps are given or missing against the config.
    """
    height, width = image.shape[-2:]
    if height % config.multiple or width % config.multiple:
        raise ValueError(f"{width}x{height} is not divisible by {config.multiple}")
    wanted = (image.shape[0], config.map_channels, height, width)
    if tuple(aging_map.shape) != wanted:
        raise ValueError(f"the aging map has shape {tuple(aging_map.shape)}, not {wanted}")
    if (location is not None) != config.location_maps:
        raise ValueError("location maps are given if and only if the generator was built for them")
