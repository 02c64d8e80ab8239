import numpy as np
import pytest
import torch
from torch.nn import functional as F

from amgan.maps.packing import reference_landmarks
from amgan.signs.atlas import unit_atlas
from amgan.signs.zones import polygon_points, rasterise, zone_crop, zone_masks, zone_square

LANDMARKS = reference_landmarks() * 512


def test_extrapolated_vertex_lies_beyond() -> None:
    (point,) = polygon_points([(10, 9, 0.5)], LANDMARKS)
    assert np.allclose(point, LANDMARKS[10] + 0.5 * (LANDMARKS[10] - LANDMARKS[9]))
    assert point[1] < LANDMARKS[10][1]


def test_rasterise_fills_the_polygons_area() -> None:
    corners = np.zeros((478, 2), np.float32)
    corners[:4] = [(9.5, 9.5), (49.5, 9.5), (49.5, 29.5), (9.5, 29.5)]
    mask = rasterise([[0, 1, 2, 3]], corners, 64, 64)
    assert abs(mask.sum() - 40 * 20) < 0.12 * 800
    assert mask[20, 30] == 1 and mask[40, 30] == 0


def test_sides_mirror_each_other_and_do_not_meet() -> None:
    atlas = unit_atlas()
    masks = dict(zip(atlas.zones, zone_masks(atlas, LANDMARKS, 512).zones, strict=True))
    left, right = masks["nasolabial_fold.left"], masks["nasolabial_fold.right"]
    assert np.minimum(left, right).max() < 0.05
    assert np.argwhere(left > 0.5)[:, 1].mean() < np.argwhere(right > 0.5)[:, 1].mean()
    assert abs(left.sum() / right.sum() - 1) < 0.1


def test_editable_ends_inside_the_head_and_spares_eyes_and_mouth() -> None:
    atlas = unit_atlas()
    masks = zone_masks(atlas, LANDMARKS, 512)
    head = rasterise(atlas.head, LANDMARKS, 512, 256)
    assert masks.editable[head == 0].max() == 0
    eye = (LANDMARKS[159] + LANDMARKS[145]) / 4
    assert masks.editable[round(eye[1]), round(eye[0])] < 0.1
    cheek = LANDMARKS[50] / 2
    assert masks.editable[round(cheek[1]), round(cheek[0])] > 0.99


@pytest.mark.parametrize("side", [512, 1024, 2000])
def test_stretched_to_a_picture_editable_still_ends_inside_the_head(side: int) -> None:
    atlas = unit_atlas()
    small = torch.from_numpy(zone_masks(atlas, LANDMARKS, 512).editable)[None, None]
    stretched = F.interpolate(small, size=(side, side), mode="bilinear", align_corners=False)[0, 0].numpy()
    outside = rasterise(atlas.head, LANDMARKS, 512, side) == 0
    # A change of the whole range would come to a thousandth of a grey level.
    assert stretched[outside].max() < 1e-5 and stretched.max() > 0.99


def test_editable_fades_out_before_the_edge_of_the_square() -> None:
    low = LANDMARKS + np.float32([0, 150])  # the chin lies beyond the lower edge
    editable = zone_masks(unit_atlas(), low, 512).editable
    assert editable.max() > 0.99 and editable[-1].max() < 0.02
    assert np.abs(np.diff(editable[240:], axis=0)).max() < 0.2


def test_skin_is_face_and_not_hair() -> None:
    masks = zone_masks(unit_atlas(), LANDMARKS, 512)
    cheek, crown = LANDMARKS[50] / 2, (LANDMARKS[10] + 0.9 * (LANDMARKS[10] - LANDMARKS[9])) / 2
    assert masks.skin[round(cheek[1]), round(cheek[0])] > 0.99
    assert masks.skin[round(crown[1]), round(crown[0])] < 0.05 < masks.head[round(crown[1]), round(crown[0])]


def test_mirrored_right_crop_equals_left_crop_of_the_mirrored_face() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    square = (20.0, 30.0, 40.0)
    other = (128 - 20.0 - 40.0, 30.0, 40.0)
    plain = zone_crop(picture, square, 40)
    mirrored = zone_crop(np.ascontiguousarray(picture[:, ::-1]), other, 40, mirror=True)
    assert np.array_equal(plain, mirrored)


def test_square_holds_the_zone() -> None:
    atlas = unit_atlas()
    for zone in (*atlas.zones, "age"):
        left, top, side = zone_square(atlas, zone, LANDMARKS)
        points = (
            LANDMARKS
            if zone == "age"
            else np.concatenate([polygon_points(polygon, LANDMARKS) for polygon in atlas.polygons(zone)])
        )
        assert (points > (left, top)).all() and (points < (left + side, top + side)).all()
