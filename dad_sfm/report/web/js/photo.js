// One photo: its keypoints by score and polarity, what was matched, what became a point.
import { drawKeypoints, drawPhoto } from "report/marks";
import { canvas, choice, make, tick } from "report/dom";

const KINDS = [["triangulated", "triangulated (dots)"], ["verified", "in a verified match (rings)"],
  ["unmatched", "neither (small)"], ["light", "light (warm)"], ["dark", "dark (blue)"]];

export function photoPanel(place, evidence, onchange) {
  const shown = Object.fromEntries(KINDS.map(([kind]) => [kind, true]));
  let current = null, photo = null, keypoints = null;
  const names = evidence.images.map((image, i) => [i, image.name]);
  const { element, select } = choice("image", names, (value) => onchange(Number(value)));
  const step = (by) => onchange((current + by + names.length) % names.length);
  const facts = make("p", { class: "facts" });
  const area = make("div", { class: "photo" });
  place.append(
    make("div", { class: "tools" }, element,
      make("button", { onclick: () => step(-1), title: "image before" }, "‹"),
      make("button", { onclick: () => step(1), title: "next image" }, "›")),
    area, facts,
    make("div", { class: "tools" }, ...KINDS.map(
      ([kind, label]) => tick(label, true, (on) => { shown[kind] = on; redraw(); }))));
  const { redraw } = canvas(area, "photo with keypoints", (width) => {
    if (current === null) return width * 0.67;
    const [w, h] = evidence.images[current].size;
    return Math.min((width * h) / w, 0.8 * window.innerHeight);
  }, (context, width, height) => {
    if (current === null) return;
    const box = drawPhoto(context, photo, evidence.images[current].size, [0, 0, width, height]);
    if (keypoints) drawKeypoints(context, keypoints, box, shown);
  });

  return async function show(i) {
    current = i;
    select.value = i;
    facts.textContent = describe(evidence.images[i]);
    const found = await Promise.all([evidence.photo(i), evidence.keypoints(i)]);
    if (current !== i) return; // another one was chosen meanwhile
    [photo, keypoints] = found;
    redraw();
  };
}

function describe(image) {
  const count = (n) => n.toLocaleString("en");
  const parts = [`${count(image.keypoints)} keypoints`];
  if (image.shown < image.keypoints) parts.push(`${count(image.shown)} of them shown`);
  if (image.verified !== null) parts.push(`${count(image.verified)} in verified matches`);
  if (image.points !== null) parts.push(`${count(image.points)} 3D points`);
  if (image.error !== null) parts.push(`their mean error ${image.error.toFixed(2)} px`);
  if (image.position_error !== null) parts.push(`position off by ${image.position_error.toPrecision(3)}`);
  if (image.rotation_error !== null) parts.push(`rotation by ${image.rotation_error.toPrecision(3)}°`);
  if (image.why) parts.push(`not registered: ${image.why}`);
  return parts.join(" · ");
}
