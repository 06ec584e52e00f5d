#!/usr/bin/env bash
# Make dad_sfm/report/web/vendor/three.min.js: what the report uses of three.js, as one module.
# Needs npm.  Run it to move to another version, then tests/report/test_page_in_browser.py.
set -euo pipefail
THREE=${THREE:-0.187.0} ESBUILD=${ESBUILD:-0.28.2}
vendor=$(cd "$(dirname "$0")/.." && pwd)/dad_sfm/report/web/vendor
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --silent "three@$THREE" "esbuild@$ESBUILD"
cat > entry.js <<'JS'
export {
  BufferAttribute, BufferGeometry, Color, LineBasicMaterial, LineSegments, PerspectiveCamera,
  Points, PointsMaterial, Scene, Vector3, WebGLRenderer,
} from "three";
export { OrbitControls } from "three/addons/controls/OrbitControls.js";
JS
npx esbuild entry.js --bundle --minify --format=esm --legal-comments=inline \
  --outfile="$vendor/three.min.js"
cp node_modules/three/LICENSE "$vendor/LICENSE.three"
