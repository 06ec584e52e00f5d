// Puts the parts of the report together.
import * as evidenceFile from "report/evidence";
import { WAYS } from "report/cloud";
import { choice, make, slider, tick } from "report/dom";
import { pairPanel } from "report/pairs";
import { photoPanel } from "report/photo";
import { world } from "report/world";

async function start() {
  const evidence = await evidenceFile.open();
  const byId = (id) => document.getElementById(id);
  document.body.classList.add("live");
  let view = null, show = null;
  const select = (i) => {
    document.body.dataset.selected = i;
    view?.select(i);
    return show(i);
  };
  show = photoPanel(byId("photo"), evidence, select);
  if (byId("pairs")) pairPanel(byId("matrix"), byId("pairs"), evidence);
  if (byId("world")) view = await openWorld(byId("world"), evidence, select);
  for (const element of document.querySelectorAll("[data-image]")) {
    element.addEventListener("click", () => {
      select(Number(element.dataset.image));
      byId("look").scrollIntoView({ behavior: "smooth" });
    });
  }
  if (evidence.images.length) await show(0);
  performance.mark("report-ready");
  document.body.dataset.ready = Math.round(performance.now());
}

async function openWorld(place, evidence, select) {
  const area = place.querySelector(".stage");
  try {
    const view = world(area, evidence, await evidence.points(), select);
    const legend = make("small");
    const { element } = choice("colour by", WAYS, (way) => {
      legend.textContent = view.colour(way) ?? "";
    });
    view.size(view.pointSize);
    place.append(make("div", { class: "tools" }, element,
      slider("points", { min: 0.5, max: 6, step: 0.5, value: view.pointSize }, view.size),
      tick("cameras", true, view.showCameras),
      ...(evidence.images.some((image) => image.truth)
        ? [tick("true cameras (green)", false, view.showTruth)] : []),
      make("button", { onclick: view.reset }, "reset view"), legend));
    return view;
  } catch (error) { // no WebGL: the drawing from above stays
    document.body.classList.add("flat");
    area.textContent = `No 3D view in this browser (${error.message}).`;
    return null;
  }
}

start();
