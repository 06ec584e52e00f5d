// Colours of numbers, as bytes.

// Matteo Niccoli-like order of lightness, as five stops: dark blue, teal, green, yellow, near white.
const STOPS = [[38, 41, 122], [31, 119, 158], [53, 173, 116], [217, 198, 60], [253, 244, 190]];

export function ramp(t) {
  const at = Math.min(Math.max(t, 0), 1) * (STOPS.length - 1);
  const k = Math.min(Math.floor(at), STOPS.length - 2), part = at - k;
  return STOPS[k].map((v, c) => Math.round(v + part * (STOPS[k + 1][c] - v)));
}

// Neighbouring numbers far apart on the circle of hues (golden angle).
export function hue(i) {
  const h = (i * 137.508) % 360, channel = (n) => {
    const k = (n + h / 60) % 6;
    return Math.round(255 * (0.9 - 0.6 * Math.max(0, Math.min(k, 4 - k, 1))));
  };
  return [channel(5), channel(3), channel(1)];
}

// Light keypoints are warm, dark ones blue; the surer, the brighter.
export function polarity(light, score) {
  const t = 0.35 + 0.65 * score;
  return light ? [255, Math.round(120 + 110 * t), Math.round(40 * t)]
    : [Math.round(60 * t), Math.round(110 + 100 * t), 255];
}

export const css = ([r, g, b], alpha = 1) => `rgba(${r},${g},${b},${alpha})`;

// The value below which a share of the numbers lies.
export function quantile(values, share) {
  const sorted = Float32Array.from(values).sort();
  return sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] : 0;
}
