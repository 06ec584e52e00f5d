// Binary data of the page: base64 of gzip in <script type="application/octet-stream"> elements.

export function text(id) {
  const element = document.getElementById(id);
  return element ? element.textContent : null;
}

export async function bytes(id) {
  const found = text(id);
  if (found === null) return null;
  const packed = Uint8Array.from(atob(found), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

export async function json(id) {
  return JSON.parse(new TextDecoder().decode(await bytes(id)));
}

// Split a buffer into arrays: [[Float32Array, count], ...] in the order in which they were packed.
export function split(buffer, kinds) {
  let at = 0;
  return kinds.map(([Kind, count]) => {
    const array = new Kind(buffer, at, count);
    at += array.byteLength;
    return array;
  });
}
