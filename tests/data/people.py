"""People of a population, of whom `amgan.data.quantiles` makes an atlas."""

import csv
from pathlib import Path

from amgan.signs.atlas import unit_atlas


def write_people(folder: Path) -> None:
    """A table of twenty people of one population, and of some who do not count; their photos are empty."""
    people = [{"identity": f"p{i}", "age": 30 + 2 * i, "forehead_wrinkles": 5 * i, "crows_feet": 9} for i in range(20)]
    people[7]["crows_feet"] = "occluded"
    # One person twice, who is 10 in the mean, and some who do not count.
    people[2]["forehead_wrinkles"] = 4
    people.append(people[2] | {"forehead_wrinkles": 16})
    deep: dict[str, object] = {"age": 50, "forehead_wrinkles": 100}
    people += [
        deep | {"identity": "of no known age", "age": ""},
        deep | {"identity": "not scored", "forehead_wrinkles": ""},
    ]
    people += [deep | {"identity": "of the test", "split": "test"}, deep | {"identity": "unlabelled", "ethnicity": ""}]
    people += [deep | {"identity": "of few", "ethnicity": "Mars"}]
    with (folder / "faces.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["file", "identity", "split", "age", "ethnicity", *unit_atlas().signs])
        writer.writeheader()
        for index, person in enumerate(people):
            (folder / f"{index}.png").touch()
            writer.writerow({"file": f"{index}.png", "split": "train", "ethnicity": "Moon-folk"} | person)
