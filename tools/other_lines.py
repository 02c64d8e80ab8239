"""Gives a trained model the lines of other people.

Training hardly changes what a memory of lines begins with (r 0.97 with what it then was, over three patterns), and the
network says how much of any line there is to be at each place; so other lines need no training. They are those of the
`givers` of CONFIG::

    python tools/other_lines.py src/amgan/weights/default ../runs/other \\
        --config src/amgan/training/configs/shipped.yaml --data ../shared/data --store ../runs/prepared
"""

from __future__ import annotations

from amgan.data.grafts.pattern import patterns_of
from amgan.data.store import prepare
from amgan.errors import as_tool
from amgan.models.bundle import load_bundle, save_bundle
from amgan.models.estimator import SignEstimators
from amgan.models.generator import Generator
from amgan.training.config_file import load_config
from amgan.training.faces import check_givers
from amgan.training.fit_trends import check_notice, rows_under
from model_options import model_options


@as_tool
def main() -> None:
    """Writes the model."""
    parser, given = model_options(__doc__, "names the givers")
    bundle = load_bundle(given.model)
    old, estimators = bundle.generator, bundle.estimators
    if not (isinstance(old, Generator) and old.config.patterns > 1 and isinstance(estimators, SignEstimators)):
        parser.error(f"{given.model}: was not trained to tell several patterns of lines apart")
    config = load_config(given.config, data=given.data)
    givers = config.givers
    if not givers:
        parser.error(f"{given.config}: names no givers")
    store = prepare(given.data, given.store, bundle.atlas)
    rows = check_givers(store, rows_under(store, bundle.judge_share, config.licences), config)
    check_notice(bundle.notice, rows, given.data, "name other givers")
    generator = Generator(old.config.model_copy(update={"patterns": len(givers)}))
    assert generator.lines is not None
    generator.lines.remember(patterns_of(store, bundle.atlas, givers))
    generator.load_state_dict(old.state_dict() | {f"lines.{k}": v for k, v in generator.lines.state_dict().items()})
    rest = bundle.atlas, bundle.channels, bundle.notice, bundle.image_size, bundle.judge_share, bundle.trends
    save_bundle(given.out, generator, estimators, *rest)


if __name__ == "__main__":
    main()
