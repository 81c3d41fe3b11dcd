// What of the page is stored compressed; then the page's own scripts begin.

// Two of 91 characters are thirteen bits, the low ones first, and one at the end five: from "#" on, without "<".
async function unpack(id) {
  const text = document.getElementById(id).textContent;
  const pairs = text.length >> 1;
  const bytes = new Uint8Array((13 * pairs + 5 * (text.length & 1)) >> 3);
  const digit = (at) => { const c = text.charCodeAt(at); return c - (c > 60 ? 36 : 35); };
  let bits = 0; let held = 0;
  for (let from = 0, to = 0; from < text.length; from += 2) {
    const pair = from + 1 < text.length;
    bits |= (digit(from) + (pair ? 91 * digit(from + 1) : 0)) << held;
    for (held += pair ? 13 : 5; held >= 8; held -= 8) { bytes[to++] = bits; bits >>>= 8; }
  }
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")));
}

function cannot_run(fault) {
  const box = document.createElement("p");
  box.className = "fault";
  box.textContent = `This browser can't run the library: ${fault.message}. It needs WebAssembly with exceptions and SIMD, and DecompressionStream: Chromium 95, Firefox 113, Safari 16.4 or later.`;
  document.getElementById("story").replaceChildren(box);
}

unpack("packed-page").then((r) => r.text()).then((text) => {
  const script = document.createElement("script");
  script.textContent = text;
  document.body.append(script);
}).catch(cannot_run);
