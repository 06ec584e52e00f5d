// Cameras as pyramids of lines.
import { BufferAttribute, BufferGeometry, LineBasicMaterial, LineSegments } from "three";

const EDGES = [0, 1, 0, 2, 0, 3, 0, 4, 1, 2, 2, 3, 3, 4, 4, 1, 5, 6, 6, 7]; // 5-7: a roof over the top
export const SELECTED = [255, 196, 0];

// poses: [{ center: [3], rotation: [9] (rows; cam from world), tan: [2] }, ...]
export function frusta(poses, size, colourOf) {
  const positions = new Float32Array(poses.length * EDGES.length * 3);
  const colours = new Uint8Array(positions.length);
  poses.forEach((pose, k) => {
    const points = corners(pose, size);
    EDGES.forEach((e, j) => positions.set(points[e], (k * EDGES.length + j) * 3));
  });
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(positions, 3));
  geometry.setAttribute("color", new BufferAttribute(colours, 3, true));
  const lines = new LineSegments(geometry, new LineBasicMaterial({ vertexColors: true }));
  lines.frustumCulled = false;
  lines.paint = () => {
    poses.forEach((_, k) => {
      const colour = colourOf(k);
      for (let j = 0; j < EDGES.length; j++) colours.set(colour, (k * EDGES.length + j) * 3);
    });
    geometry.attributes.color.needsUpdate = true;
  };
  lines.paint();
  return lines;
}

function corners({ center, rotation: R, tan: [tx, ty] }, size) {
  const world = (x, y, z) => [0, 1, 2].map(
    (c) => center[c] + size * (R[c] * x + R[3 + c] * y + R[6 + c] * z));
  const [w, h] = [tx, ty];
  return [
    [...center], world(-w, -h, 1), world(w, -h, 1), world(w, h, 1), world(-w, h, 1),
    world(-0.4 * w, -1.1 * h, 1), world(0, -1.5 * h, 1), world(0.4 * w, -1.1 * h, 1),
  ];
}


