#!/bin/bash
# Extraction or matching as an array of jobs, and the merge that follows it:
#
#   sbatch --array=1-64 --gres=gpu:1 pipelines/slurm_array.sh 64 \
#       extract photos --features dad-nano+rootsift --feature-path out/features.h5
#   dad-sfm merge out/features.h5
#   dad-sfm pairs out/pairs.txt --feature-file out/features.h5
#   sbatch --array=1-64 pipelines/slurm_array.sh 64 \
#       match out/pairs.txt out/features.h5 --matches out/matches.h5
#   dad-sfm merge out/matches.h5
#
# The first argument is the number of shards, so that some of them can be submitted again
# (--array=3,17). A job that is killed or requeued resumes; the merge names the shards that are
# missing. Exit code 3 (some photos cannot be used, which the merged file says) is a success.
#SBATCH --job-name=dad-sfm
#SBATCH --cpus-per-task=8
#SBATCH --time=12:00:00
#SBATCH --requeue
#SBATCH --output=dad-sfm-%A_%a.log
set -u

shards=$1
shift
dad-sfm "$@" --shard "${SLURM_ARRAY_TASK_ID:?}/$shards"
code=$?
[ "$code" -eq 3 ] && exit 0
exit "$code"
