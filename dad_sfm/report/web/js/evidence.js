// What the page knows, decoded when it is first asked for.
import { bytes, json, split, text } from "report/blobs";

export const LIGHT = 1, VERIFIED = 2; // bits of a keypoint's flags, as packed by payload.py

export async function open() {
  const index = await json("index");
  const keypoints = new Map(), photos = new Map();
  let lines = null;

  async function readKeypoints(i) {
    const buffer = await bytes(`k${i}`);
    if (buffer === null) return null;
    const n = index.images[i].shown;
    const [point, xy, score, flags] = split(buffer, [
      [Int32Array, n], [Uint16Array, 2 * n], [Uint8Array, n], [Uint8Array, n]]);
    return { n, point, xy, score, flags };
  }

  return {
    ...index,

    // Positions, colours, mean errors (px) and track lengths of the points; null without a model.
    async points() {
      const buffer = await bytes("points");
      if (buffer === null) return null;
      const n = index.points;
      const [xyz, error, track, first, rgb] = split(buffer, [
        [Float32Array, 3 * n], [Uint16Array, n], [Uint16Array, n], [Uint16Array, n],
        [Uint8Array, 3 * n]]);
      return { n, xyz, error: Float32Array.from(error, (e) => e / 1000), track, first, rgb };
    },

    // Keypoints of image i: place as a fraction of the photo in 1/65535, score, flags, point or -1.
    keypoints(i) {
      if (!keypoints.has(i)) keypoints.set(i, readKeypoints(i));
      return keypoints.get(i);
    },

    // Inliers of pair p as [a0, b0, a1, b1, ...]: numbers of keypoints in its two images.
    async inliers(p) {
      lines ??= bytes("lines").then((b) => b && new Uint32Array(b));
      const all = await lines, [, , , , start, count] = index.pairs[p];
      return all ? all.subarray(2 * start, 2 * (start + count)) : new Uint32Array(0);
    },

    // The photo as an image that has loaded; the small one in the page, else the file beside it.
    photo(i) {
      if (!photos.has(i)) photos.set(i, load(text(`t${i}`), index.images[i].file));
      return photos.get(i);
    },
  };
}

function load(packed, file) {
  return new Promise((done) => {
    const image = new Image();
    image.onload = () => done(image);
    image.onerror = () => done(null);
    if (packed !== null) image.src = `data:image/jpeg;base64,${packed}`;
    else if (file) image.src = file;
    else done(null);
  });
}
