// All pairs as a matrix of squares: lighter with more inliers; a click chooses a pair.
import { ramp, css } from "report/colours";
import { canvas } from "report/dom";

export function matrix(place, evidence, onpick) {
  const n = evidence.images.length, cells = new Map();
  evidence.pairs.forEach(([a, b], p) => {
    cells.set(a * n + b, p);
    cells.set(b * n + a, p);
  });
  const top = Math.log1p(evidence.pairs.reduce((most, pair) => Math.max(most, pair[3]), 1));
  let chosen = null, side = 1;
  const { element, redraw } = canvas(place, "inliers of all pairs",
    (width) => Math.min(width, 560), (context, width, height) => {
      side = Math.min(width, height) / n;
      context.fillStyle = "#1b1f27";
      context.fillRect(0, 0, n * side, n * side);
      for (const [cell, p] of cells) {
        const inliers = evidence.pairs[p][3];
        context.fillStyle = inliers ? css(ramp(0.12 + 0.88 * Math.log1p(inliers) / top)) : "#3a2a2e";
        square(context, Math.floor(cell / n), cell % n, side);
      }
      if (chosen === null) return;
      const [a, b] = evidence.pairs[chosen];
      context.strokeStyle = "#ffc400";
      context.lineWidth = 2;
      for (const [x, y] of [[a, b], [b, a]]) context.strokeRect(x * side, y * side, side, side);
    });
  const at = (event) => {
    const box = element.getBoundingClientRect();
    const x = Math.floor((event.clientX - box.left) / side);
    const y = Math.floor((event.clientY - box.top) / side);
    return x < n && y < n ? cells.get(x * n + y) ?? null : null;
  };
  element.addEventListener("click", (event) => {
    const p = at(event);
    if (p !== null) onpick(p);
  });
  element.addEventListener("mousemove", (event) => {
    const p = at(event);
    element.title = p === null ? "" : caption(evidence, p);
  });
  return (p) => { chosen = p; redraw(); };
}

function square(context, x, y, side) {
  const gap = side > 6 ? 1 : 0;
  context.fillRect(x * side, y * side, side - gap, side - gap);
}

export function caption(evidence, p) {
  const [a, b, matches, inliers] = evidence.pairs[p];
  const names = `${evidence.images[a].name} – ${evidence.images[b].name}`;
  return `${names}: ${inliers} inliers of ${matches} matches`;
}
