"""A training script: its model is the average of the last column."""

import json
import os
from pathlib import Path


def main() -> None:
    """Writes the model."""
    files = sorted(Path(os.environ["SM_CHANNEL_SALES"]).iterdir())
    rows = [line.rpartition(",")[2] for file in files for line in file.read_text().splitlines()[1:]]
    average = sum(map(float, rows)) / len(rows)
    Path(os.environ["SM_MODEL_DIR"], "model.json").write_text(json.dumps({"average": average}))


if __name__ == "__main__":
    main()
