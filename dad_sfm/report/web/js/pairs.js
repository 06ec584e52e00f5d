// Two photos side by side, joined by the inliers of their pair.
import { drawLines, drawPhoto } from "report/marks";
import { caption, matrix } from "report/matrix";
import { canvas, choice, make, slider } from "report/dom";

const FEW = 150, MANY = 1000; // lines: more than a few hide the photos

export function pairPanel(matrixPlace, place, evidence) {
  let current = null, photos = null, keypoints = null, inliers = null, lines = FEW;
  const best = evidence.pairs.map((_, p) => p)
    .sort((p, q) => evidence.pairs[q][3] - evidence.pairs[p][3]);
  const mark = matrix(matrixPlace, evidence, (p) => show(p));
  const { element, select } = choice("pair", best.slice(0, 2000).map((p) => [p, caption(evidence, p)]),
    (value) => show(Number(value)));
  const facts = make("p", { class: "facts" });
  const area = make("div", { class: "photo" });
  place.append(make("div", { class: "tools" }, element,
    slider("lines", { min: 0, max: MANY, value: lines }, (most) => { lines = most; redraw(); })), area, facts);
  const { redraw } = canvas(area, "two photos with the inliers of their pair", (width) => {
    if (current === null) return width * 0.4;
    const sizes = evidence.pairs[current].slice(0, 2).map((i) => evidence.images[i].size);
    const stacked = width < 560; // one above the other on a phone
    const heights = sizes.map(([w, h]) => ((stacked ? width : width / 2 - 4) * h) / w);
    return stacked ? heights[0] + heights[1] + 8 : Math.max(...heights);
  }, (context, width, height) => {
    if (current === null || !photos) return;
    const [a, b] = evidence.pairs[current];
    const sizes = [a, b].map((i) => evidence.images[i].size);
    const boxes = width < 560
      ? stack(sizes, width) : [0, 1].map((k) => [k * (width / 2 + 4), 0, width / 2 - 4, height]);
    const drawn = boxes.map((box, k) => drawPhoto(context, photos[k], sizes[k], box));
    if (keypoints.every(Boolean)) drawLines(context, inliers, keypoints, drawn, lines);
  });

  async function show(p) {
    current = p;
    select.value = p;
    mark(p);
    const [a, b, , count, , shown] = evidence.pairs[p];
    facts.textContent = caption(evidence, p) + (shown < count ? `; ${shown} of them drawn` : "");
    const found = await Promise.all([
      Promise.all([evidence.photo(a), evidence.photo(b)]),
      Promise.all([evidence.keypoints(a), evidence.keypoints(b)]),
      evidence.inliers(p)]);
    if (current !== p) return;
    [photos, keypoints, inliers] = found;
    redraw();
  }
  if (best.length) show(best[0]);
  return show;
}

function stack(sizes, width) {
  const heights = sizes.map(([w, h]) => (width * h) / w);
  return [[0, 0, width, heights[0]], [0, heights[0] + 8, width, heights[1]]];
}
