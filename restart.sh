#!/bin/sh
# Restarts the running Banyan gracefully (running turns finish or park first), or starts one if none runs.
set -eu
cd "$(dirname "$0")"
exec node scripts/bootstrap.mjs restart "$@"
