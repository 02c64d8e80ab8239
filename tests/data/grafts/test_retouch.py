import numpy as np

from amgan.data.grafts.relief import laid_on
from amgan.data.grafts.retouch import own_lines

SIDE = 256


def skin() -> np.ndarray:
    """Skin with pores."""
    noise = np.random.default_rng(0).normal(0, 2, (SIDE, SIDE, 1))
    return (np.array([190.0, 150.0, 130.0]) + noise).clip(0, 255).astype(np.uint8)


def lined() -> np.ndarray:
    rgb = skin().astype(np.float32)
    for row in (60, 120, 180):
        rgb[row : row + 4, 30:-30] *= 0.7
    return rgb.astype(np.uint8)


def depth(rgb: np.ndarray) -> float:
    light = rgb.astype(np.float32).mean(axis=2)
    return float(light[140:170, 60:-60].mean() - light[121:123, 60:-60].mean())


def retouched(rgb: np.ndarray, where: np.ndarray, bare: np.ndarray) -> np.ndarray:
    return laid_on(rgb, -where[..., None] * own_lines(rgb, bare, 1024))


def test_lines_go_by_the_share_that_is_asked_for() -> None:
    rgb, bare = lined(), np.ones((SIDE, SIDE), np.float32)
    depths = [depth(retouched(rgb, np.full_like(bare, share), bare)) for share in (0.0, 0.5, 1.0)]
    assert depths[0] == depth(rgb) > 30
    assert depths[2] < 0.25 * depths[0] and 0.3 < depths[1] / depths[0] < 0.8


def test_pores_stay() -> None:
    rgb, bare = skin(), np.ones((SIDE, SIDE), np.float32)
    after = retouched(rgb, bare, bare)
    assert after.mean(axis=2).std() > 0.7 * rgb.mean(axis=2).std()


def test_what_is_not_asked_for_or_no_bare_skin_is_left_alone() -> None:
    rgb, whole = lined(), np.ones((SIDE, SIDE), np.float32)
    half = whole.copy()
    half[:, : SIDE // 2] = 0
    for where, bare in ((half, whole), (whole, half)):
        after = retouched(rgb, where, bare)
        assert np.abs(after[:, : SIDE // 2].astype(int) - rgb[:, : SIDE // 2]).max() <= 1
        assert np.abs(after[120:124, 140:].astype(int) - rgb[120:124, 140:]).mean() > 10
