import numpy as np
import pytest
import torch

from amgan.maps.change import OFF_SKIN, OFF_ZONES, carried_along, hue_kept, inward, where_changed


def test_all_of_a_change_is_made_in_zones_some_on_other_skin_and_hair_none_outside() -> None:
    editable, skin = torch.tensor([1.0, 1.0, 1.0, 0.5, 0.0]), torch.tensor([1.0, 1.0, 0.0, 1.0, 1.0])
    zoned = torch.tensor([1.0, 0.0, 0.0, 1.0, 1.0])
    assert where_changed(editable, skin, zoned).tolist() == pytest.approx([1, OFF_ZONES, OFF_SKIN, 0.5, 0])


def test_hue_of_a_region_is_kept_and_its_spots_and_shadows_are_not_touched() -> None:
    where = torch.zeros(1, 1, 256, 256)
    where[..., 64:192, 64:192] = 1
    tint, shadow, lines = (torch.zeros(1, 3, 256, 256) for _ in range(3))
    tint[:, 0], tint[:, 2] = 0.2, -0.1
    shadow[:] = -0.2
    lines[:, 0, ::2], lines[:, 0, 1::2] = 0.3, -0.3
    for change in (shadow, lines):
        assert torch.allclose(hue_kept(change * where, where), change * where, atol=0.02)
    left = hue_kept(tint * where, where)
    inside = left[..., 64:192, 64:192]
    assert (inside - inside.mean(dim=1, keepdim=True)).abs().max() < 0.02
    assert inside.mean() == pytest.approx(0.1 / 3, abs=1e-3)
    assert not (left * (where == 0)).any()


def test_a_patch_with_its_share_of_cells_is_treated_as_the_face_is() -> None:
    torch.manual_seed(0)
    where, change = torch.ones(1, 1, 256, 256), torch.rand(1, 3, 256, 256)
    whole = hue_kept(change, where, 32)[..., 64:192, 64:192]
    patch = hue_kept(change[..., 64:192, 64:192], where[..., 64:192, 64:192], 16)
    inside = (..., slice(24, 104), slice(24, 104))
    assert torch.allclose(whole[inside], patch[inside], atol=1e-5)


def test_hair_fades_towards_the_outline_of_the_head_and_skin_does_not() -> None:
    head, skin = np.zeros((96, 96), np.float32), np.zeros((96, 96), np.float32)
    head[16:80, 16:80] = 1
    skin[40:60, 16:60] = 1
    found = inward(head, skin)
    assert found[50, 50] == 1 and found[50, 17] == 1
    assert found[30, 17] < 0.2 < found[30, 22] < found[30, 25] and found[30, 48] == 1


def test_what_lies_beside_a_face_moves_with_its_outline_and_nothing_on_the_face() -> None:
    where, skin = np.zeros((100, 100), np.float32), np.zeros((100, 100), np.float32)
    skin[:, :60] = 1
    where[40:60, 40:60] = 1
    found = carried_along(where, skin)
    assert np.array_equal(found[:, :60], where[:, :60])
    assert found[50, 60] == 1 and found[50, 75:].max() == 0 and found[30, 60] == 0
