// Photos with what was found on them, on 2D canvases.
import { LIGHT, VERIFIED } from "report/evidence";
import { css, polarity } from "report/colours";

// Draw a photo into a box, as large as fits; returns where it is.
export function drawPhoto(context, photo, size, [x, y, width, height]) {
  const [W, H] = photo ? [photo.naturalWidth, photo.naturalHeight] : size;
  const scale = Math.min(width / W, height / H), w = W * scale, h = H * scale;
  const box = [x + (width - w) / 2, y + (height - h) / 2, w, h];
  context.fillStyle = "#2a2f3a";
  context.fillRect(...box);
  if (photo) context.drawImage(photo, ...box);
  return box;
}

export function place(keypoints, k, [x, y, w, h]) {
  return [x + (keypoints.xy[2 * k] / 65535) * w, y + (keypoints.xy[2 * k + 1] / 65535) * h];
}

// shown: { light, dark, triangulated, verified, unmatched }
export function drawKeypoints(context, keypoints, box, shown) {
  const unit = Math.max(1, box[2] / 450);
  for (let k = keypoints.n - 1; k >= 0; k--) { // the surest on top
    const light = Boolean(keypoints.flags[k] & LIGHT);
    const triangulated = keypoints.point[k] !== -1;
    const verified = Boolean(keypoints.flags[k] & VERIFIED);
    const kind = triangulated ? "triangulated" : verified ? "verified" : "unmatched";
    if (!shown[kind] || !shown[light ? "light" : "dark"]) continue;
    const colour = polarity(light, keypoints.score[k] / 255);
    context.beginPath();
    context.arc(...place(keypoints, k, box), unit * (kind === "unmatched" ? 1 : 2), 0, 7);
    if (kind === "verified") {
      context.strokeStyle = css(colour);
      context.lineWidth = unit;
      context.stroke();
    } else {
      context.fillStyle = css(colour, kind === "unmatched" ? 0.75 : 0.95);
      context.fill();
    }
  }
}

// All points, and lines between at most so many of them, evenly chosen.
export function drawLines(context, inliers, [a, b], [boxA, boxB], most) {
  const count = inliers.length / 2, step = Math.max(1, count / Math.max(1, most));
  context.lineWidth = 1;
  let next = most > 0 ? 0 : count;
  for (let k = 0; k < count; k++) {
    const [i, j] = [inliers[2 * k], inliers[2 * k + 1]];
    const from = place(a, i, boxA), to = place(b, j, boxB);
    const hue = (360 * a.xy[2 * i + 1]) / 65535; // by height: lines that cross stand out
    context.strokeStyle = `hsla(${hue},90%,60%,.75)`;
    context.fillStyle = `hsl(${hue},90%,60%)`;
    if (k >= next) {
      next += step;
      context.beginPath();
      context.moveTo(...from);
      context.lineTo(...to);
      context.stroke();
    }
    for (const [x, y] of [from, to]) context.fillRect(x - 1.5, y - 1.5, 3, 3);
  }
}
