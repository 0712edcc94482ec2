#!/usr/bin/env bash
# Bring every result file of docs/benchmarks/quality/ and docs/benchmarks/hindsight/ up to date; what stands in them is
# kept. The heuristics and the planner on every scenario, the shipped model, and the two slow ones on fewer days of the
# large fleets. Time decisions on a quiet machine: `--retime` measures only the times again.
set -euo pipefail
cd "$(dirname "$0")/.."
export OMP_NUM_THREADS=1
small=(--scenario clinic-day --scenario classic-10x20 --scenario fleet-10x60 --scenario urgent-heavy --scenario fleet-30x200)
large=(--scenario fleet-60x300 --scenario fleet-100x700)
measure() { qdispatch-trainer measure "$@"; }

measure --policy heuristics --policy "planner 0.25 ms" --policy "planner 1 ms" --policy "planner 5 ms" \
  --policy "planner 5 ms with reserve"
model=(--policy model --policy "model with search" --model models/default)
measure "${model[@]}" "${small[@]}" --validate 200
measure "${model[@]}" "${large[@]}"
seeds=(--scenario clinic-day --scenario fleet-10x60 --scenario fleet-30x200 --scenario urgent-heavy)
for seed in 1 2; do
  measure --policy model --policy "model with search" --model "training/seeds/seed-$seed.pt" --label "seed-$seed" "${seeds[@]}"
done
for slow in "PyVRP 100 ms" hindsight; do
  measure --policy "$slow" "${small[@]}" --days 200
  measure --policy "$slow" "${large[@]}" --days 30
done
# what hindsight leaves to gain, on validation days: joint matching and hindsight
validation=(--out docs/benchmarks/hindsight --seeds-from 1000000 --validate 0 --no-timing)
measure --policy "joint matching" --policy hindsight "${small[@]}" --days 100 "${validation[@]}"
measure --policy "joint matching" --policy hindsight "${large[@]}" --days 10 "${validation[@]}"
