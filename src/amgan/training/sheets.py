"""Sample sheets: what the averaged generator makes of a few validation faces, for people to look at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from amgan.maps.arrays import grown
from amgan.maps.change import restrain, where_changed
from amgan.maps.kinds import draw_map, in_any_zone
from amgan.maps.location import location_maps
from amgan.maps.mesh import face_places
from amgan.maps.targets import asked_map
from amgan.maps.variants import varied
from amgan.models.estimator import as_images
from amgan.models.generator import Generator
from amgan.models.precision import has_fast_bf16
from amgan.signs.atlas import Atlas
from amgan.signs.levels import OLD, YOUNG
from amgan.signs.zones import zone_masks
from amgan.training.faces import Face

LEVELS = (YOUNG, None, OLD)


@torch.inference_mode()
def sample_sheet(
    generator: Generator,
    atlas: Atlas,
    channels: tuple[int, ...],
    faces: list[Face],
    path: Path,
    restrained: bool,
) -> None:
    """Writes a PNG with one row a face: all at 0.1, original, all at 0.9.

    Args:
        generator: The averaged generator; in evaluation mode relief is as deep as in use, more than losses see.
        atlas: Zones.
        channels: Channel of each zone.
        faces: Whom to show.
        path: Where the sheet goes.
        restrained: As `TrainConfig.restrained`. A user sees what two such views agree on.
    """
    kind = generator.config.maps
    rows, device = [], generator.output.weight.device
    fast = device.type == "cpu" and has_fast_bf16()
    for number, (rgb, landmarks, own_scores, own_age) in enumerate(faces):
        size = rgb.shape[0]
        masks = zone_masks(atlas, landmarks, size)
        image = as_images(torch.from_numpy(rgb.copy())[None])  # of what is mapped from the disk
        zones, head, editable, skin = (
            grown(torch.from_numpy(m)[None], (size, size))
            for m in (masks.zones, masks.head[None], masks.editable[None], masks.skin[None])
        )
        guarded = generator.config.guarded
        where = where_changed(editable, skin, in_any_zone(kind, zones)[:, None], guarded)
        zero = torch.zeros(1, dtype=torch.long)
        location = location_maps(zero, zero, (size, size), (size, size))
        if generator.config.places == "face":
            places, patterns = face_places(landmarks, size), generator.config.patterns
            places = varied(places, number, patterns) if patterns > 1 else places
            location = grown(torch.from_numpy(places)[None], (size, size))
        own = draw_map(kind, zones, head[:, 0], own_scores[None], own_age[None], channels)
        tiles = []
        for level in LEVELS:
            out = image
            if level is not None:
                scores = torch.full((1, len(atlas.zones)), level)
                target = draw_map(kind, zones, head[:, 0], scores, torch.tensor([level]), channels)
                given = location.to(device) if generator.config.location_maps else None
                with torch.autocast("cpu", torch.bfloat16, enabled=fast):
                    asked = asked_map(generator.config.asks, own, target).to(device)
                    out = generator(image.to(device), asked, given).image.cpu()
                if restrained:
                    out = image + restrain(out - image, where, guarded)
            tiles.append(((out[0].permute(1, 2, 0).clamp(-1, 1) + 1) * 127.5).round().byte().numpy())
        rows.append(np.concatenate(tiles, axis=1))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate(rows)).save(path)
