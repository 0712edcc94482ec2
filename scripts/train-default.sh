#!/usr/bin/env bash
# Train and export the shipped model anew by the settings of training/default.json, with the export's closed-loop checks.
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
python scripts/int8_page.py
echo "The bundle is in models/default. Its results are not measured yet: make measure, then make quality (hours)."
