"""What defines a generator, and what it takes; whatever runs it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from amgan.maps.kinds import MapKind
from amgan.maps.targets import Asks


class GeneratorConfig(BaseModel):
    """Everything that defines a generator.

    Attributes:
        maps: What the aging map holds (the ablations of paper 5.4 and 5.5 know less than its zones).
        map_channels: Channels of the aging map; set from that and the atlas's packing.
        asks: What is asked for: "score" is the paper's, the aging map that is wanted; "change" is how much it
            is more than the face's own, or what share of that goes, -1..1, so that a generator need not guess how old
            skin is before it changes it.
        location_maps: Whether X and Y maps are given beside the aging map (the ablation of paper 5.5 has none).
        places: What the location maps say: "picture" is the paper's, places in the aligned picture; "face" those of a
            mean face, by landmarks (`amgan.maps.mesh`), so that an eye lies at one place whoever's it is.
        lines: Side of the memory of lines (`amgan.models.lines`), pixels; what is changed is then lines that come and
            go and hair that greys, and nothing else. 0 for none: any change of colour.
        patterns: How many faces' worth of lines it remembers; with more than one the location maps say by a third map
            which of them is wanted (`amgan.maps.variants`).
        sags: Whether, in use, the face also changes its shape with age (`amgan.maps.sagging`), lines and all.
        shades: Whether, in use, light falls on the face as on one of that age (`amgan.maps.shading`).
        greys: Whether, in use, hair greys with age by itself (`amgan.maps.greying`) and gets its colour back with youth
            (`amgan.maps.darkening`); the generator then changes skin alone, and greys nothing.
        base_channels: Width behind the stem; doubles at each halving.
        depth: Halvings behind the stem.
        blocks: Residual blocks at the bottom.
        stem: Pixels folded into channels along each axis, a power of two.
        norm: "instance" is the paper's. Its statistics are those of a patch in training and of a whole photo in
            use; "layer" normalises over the channels of each pixel, so that a patch and a photo get the same answer.
            "none" learns soonest what pairs show, and wants a critic that adds little.
        skips: Whether what the encoder sees at each size is handed to the decoder at that size, so that what is fine
            can be taken away from where it is.
        guarded: Whether what generators add that learn from critics alone is taken from its changes, in training and in
            use (`amgan.maps.change`): tints, flat grey in hair, creases where no sign lies.
        condition_channels: Hidden width of each SPADE's map convolution.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    maps: MapKind = "zones"
    map_channels: int = Field(default=1, ge=1)
    asks: Asks = "score"
    location_maps: bool = True
    places: Literal["picture", "face"] = "picture"
    lines: int = Field(default=0, ge=0, multiple_of=4)
    patterns: int = Field(default=1, ge=1)
    sags: bool = False
    shades: bool = False
    greys: bool = False
    base_channels: int = Field(default=64, ge=4, multiple_of=4)
    depth: int = Field(default=2, ge=1, le=5)
    blocks: int = Field(default=2, ge=0)
    stem: Literal[1, 2, 4, 8] = 4
    norm: Literal["layer", "instance", "none"] = "layer"
    skips: bool = False
    guarded: bool = True
    condition_channels: int = Field(default=32, ge=4)

    @model_validator(mode="after")
    def _lines_lie_on_faces(self) -> GeneratorConfig:
        if self.lines and (self.asks != "change" or self.places != "face" or not self.location_maps):
            raise ValueError('lines: wants asks "change", and location maps with places "face"')
        if self.lines and self.multiple % 8:
            raise ValueError("lines: want stem * 2**depth divisible by 8, as the own relief does; make either larger")
        if self.patterns > 1 and not self.lines:
            raise ValueError("patterns: are those of a memory of lines; set lines, or leave patterns out")
        return self

    @property
    def knows_places(self) -> bool:
        """Whether its aging maps say where: only then can one be painted, or half a zone be aimed at."""
        return self.maps == "zones"

    @property
    def knows_signs(self) -> bool:
        """Whether its aging maps have the signs: else it can be asked for an age alone."""
        return self.maps != "age"

    @property
    def follows_trends(self) -> bool:
        """Whether light or shape go with age as they do in the mean of many (`amgan.maps.trends`)."""
        return self.sags or self.shades

    @property
    def location_channels(self) -> int:
        """Location maps that are given: none, X and Y, or those and the one that chooses a pattern of lines."""
        return 0 if not self.location_maps else 2 if self.patterns == 1 else 3

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
    if location is not None and location.shape[1] != config.location_channels:
        raise ValueError(f"there are {location.shape[1]} location maps, not {config.location_channels}")
