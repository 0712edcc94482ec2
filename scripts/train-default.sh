#!/usr/bin/env bash
# Train and export the shipped model anew: the settings of training/default.json, evaluation on the test seeds, README table.
# The run stays in runs/default; a run that was interrupted is continued.
set -euo pipefail
cd "$(dirname "$0")/.."
run=runs/default
export OMP_NUM_THREADS=1
if [ -e "$run/config.json" ]; then
  qdispatch-trainer train --out "$run" --resume
else
  qdispatch-trainer train --out "$run" --config training/default.json
fi
qdispatch-export "$run/model.pt" --out models/default --force --scenario clinic-day,fleet-10x60 --days 200
qdispatch-trainer measure --policy model --model models/default --validate 200 \
  --scenario clinic-day --scenario classic-10x20 --scenario fleet-10x60 --scenario urgent-heavy --scenario fleet-30x200
qdispatch-trainer measure --policy model --model models/default --scenario fleet-60x300 --scenario fleet-100x700
qdispatch-trainer quality
python scripts/readme_table.py
python scripts/int8_page.py
