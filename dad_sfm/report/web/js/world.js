// The 3D view.  It is drawn when something changes, never in a loop.
import { Color, OrbitControls, PerspectiveCamera, Scene, Vector3, WebGLRenderer } from "three";
import { cloud } from "report/cloud";
import { hue } from "report/colours";
import { frusta, SELECTED } from "report/frusta";

const FOV = 50, PICK_PX = 24, TRUE_CAMERA = [70, 200, 120];

const degrees = (radians) => (radians * 180) / Math.PI;

export function world(place, evidence, points, onpick) {
  const renderer = new WebGLRenderer({ antialias: true, preserveDrawingBuffer: true });
  renderer.outputColorSpace = "srgb-linear"; // colours are shown as the photos have them
  renderer.setClearColor(new Color(0x12 / 255, 0x15 / 255, 0x1b / 255));
  renderer.setPixelRatio(window.devicePixelRatio || 1);
  place.append(renderer.domElement);
  const { target, up, eye, radius, camera_size: size } = evidence.view;
  const scene = new Scene(), lens = new PerspectiveCamera(FOV, 1, radius / 1000, radius * 100);
  const controls = new OrbitControls(lens, renderer.domElement);
  const registered = evidence.images.flatMap((image, i) => (image.pose ? [i] : []));
  const state = { way: "photo", selected: null };

  const dots = points && cloud(points);
  const cameras = frusta(registered.map((i) => evidence.images[i].pose), size,
    (k) => (registered[k] === state.selected ? SELECTED
      : state.way === "image" ? hue(registered[k]) : [120, 170, 255]));
  const truth = frusta(evidence.images.flatMap((image) => (image.truth ? [image.truth] : [])),
    size, () => TRUE_CAMERA);
  truth.visible = false;
  scene.add(cameras, truth, ...(dots ? [dots] : []));

  const draw = () => renderer.render(scene, lens);
  const reset = () => {
    lens.up.set(...up);
    lens.position.set(...eye);
    controls.target.set(...target);
    controls.update();
    draw();
  };
  const paint = async () => {
    const seen = state.selected === null ? null : await evidence.keypoints(state.selected);
    if (dots) dots.paint(state.way, seen && evidence.images[state.selected].pose && seen.point);
    cameras.paint();
    draw();
  };

  // The camera nearest to a place on the screen, null where none is near.
  function near(event) {
    const box = renderer.domElement.getBoundingClientRect();
    let best = null, least = PICK_PX;
    for (const i of registered) {
      const { center, rotation } = evidence.images[i].pose;
      const middle = center.map((c, k) => c + 0.5 * size * rotation[6 + k]);
      const at = new Vector3(...middle).project(lens);
      if (at.z > 1) continue;
      const x = box.left + ((at.x + 1) / 2) * box.width, y = box.top + ((1 - at.y) / 2) * box.height;
      const distance = Math.hypot(event.clientX - x, event.clientY - y);
      if (distance < least) [best, least] = [i, distance];
    }
    return best;
  }
  let pressed = null;
  renderer.domElement.addEventListener("pointerdown", (e) => { pressed = [e.clientX, e.clientY]; });
  renderer.domElement.addEventListener("pointerup", (e) => {
    const still = pressed && Math.hypot(e.clientX - pressed[0], e.clientY - pressed[1]) < 5;
    const found = still ? near(e) : null;
    if (found !== null) onpick(found);
  });
  renderer.domElement.addEventListener("pointermove", (e) => {
    const found = e.buttons ? null : near(e);
    renderer.domElement.title = found === null ? "" : evidence.images[found].name;
  });
  controls.addEventListener("change", draw);
  new ResizeObserver(() => {
    const { clientWidth: width, clientHeight: height } = place;
    if (!width || !height) return;
    renderer.setSize(width, height);
    lens.aspect = width / height;
    // As wide as high at least: what the first view holds is seen on a phone too.
    lens.fov = 2 * degrees(Math.atan(Math.tan(FOV / 2 / degrees(1)) / Math.min(1, lens.aspect)));
    lens.updateProjectionMatrix();
    draw();
  }).observe(place);

  reset();
  paint();
  return {
    reset,
    pointSize: dots ? dots.size : 2,
    select(i) { state.selected = i; return paint(); },
    colour(way) { state.way = way; paint(); return dots?.legend(way) ?? null; },
    size(px) { if (dots) dots.material.size = px * (window.devicePixelRatio || 1); draw(); },
    showCameras(on) { cameras.visible = on; draw(); },
    showTruth(on) { truth.visible = on; draw(); },
  };
}
