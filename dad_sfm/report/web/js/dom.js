// Small elements.  Text goes in as text: a name of an image is never markup.

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

export function choice(label, options, onchange) {
  const select = make("select", { onchange: () => onchange(select.value) },
    ...options.map(([value, text]) => make("option", { value }, text)));
  return { element: make("label", {}, `${label} `, select), select };
}

export function tick(label, checked, onchange) {
  const box = make("input", { type: "checkbox", checked, onchange: () => onchange(box.checked) });
  return make("label", {}, box, ` ${label}`);
}

export function slider(label, range, onchange) {
  const input = make("input", { type: "range", ...range,
    oninput: () => onchange(Number(input.value)) });
  return make("label", {}, `${label} `, input);
}

// A canvas that fits its place on the page, drawn again when that changes.
export function canvas(place, label, height, draw) {
  const element = make("canvas", { role: "img", "aria-label": label });
  place.append(element);
  const redraw = () => {
    const width = place.clientWidth;
    if (!width) return;
    const scale = window.devicePixelRatio || 1, tall = height(width);
    element.style.height = `${tall}px`;
    element.width = Math.round(width * scale);
    element.height = Math.round(tall * scale);
    const context = element.getContext("2d");
    context.scale(scale, scale);
    draw(context, width, tall);
  };
  new ResizeObserver(redraw).observe(place);
  return { element, redraw };
}
