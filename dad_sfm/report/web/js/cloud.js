// The points, coloured in one of several ways.
import { BufferAttribute, BufferGeometry, Points, PointsMaterial } from "three";
import { hue, quantile, ramp } from "report/colours";

export const WAYS = [["photo", "photo"], ["image", "first image"],
  ["error", "reprojection error"], ["track", "track length"]];

export function cloud(points) {
  const geometry = new BufferGeometry(), colours = new Uint8Array(3 * points.n);
  geometry.setAttribute("position", new BufferAttribute(points.xyz, 3));
  geometry.setAttribute("color", new BufferAttribute(colours, 3, true));
  const material = new PointsMaterial({ vertexColors: true, sizeAttenuation: false });
  const object = new Points(geometry, material);
  object.frustumCulled = false;
  const top = { error: quantile(points.error, 0.95), track: quantile(points.track, 0.95) };
  const ways = {
    photo: (k) => points.rgb.subarray(3 * k, 3 * k + 3),
    image: (k) => hue(points.first[k]),
    error: (k) => ramp(points.error[k] / (top.error || 1)),
    track: (k) => ramp((points.track[k] - 2) / Math.max(1, top.track - 2)),
  };

  // way: one of WAYS; seen: rows that stay as they are while the others fade, or null for all
  object.paint = (way, seen) => {
    for (let k = 0; k < points.n; k++) colours.set(ways[way](k), 3 * k);
    if (seen) {
      const kept = new Uint8Array(points.n);
      for (const k of seen) if (k >= 0) kept[k] = 1;
      for (let k = 0; k < points.n; k++) {
        if (kept[k]) continue;
        for (let c = 3 * k; c < 3 * k + 3; c++) colours[c] = Math.round(0.22 * colours[c] + 40);
      }
    }
    geometry.attributes.color.needsUpdate = true;
  };

  // px: where there are few, they have to be seen
  object.size = Math.min(4, Math.max(1.5, Math.round(16 - 2.8 * Math.log10(points.n + 1)) / 2));

  // What the ends of the colours stand for, null where there is no scale.
  object.legend = (way) => ({
    error: `0 to ${top.error.toPrecision(2)} px, dark to light`,
    track: `2 to ${Math.max(2, top.track)} images, dark to light`,
    image: "a colour for each image that saw a point first",
  })[way] ?? null;
  return object;
}
