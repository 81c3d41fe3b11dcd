// Makes one HTML file of the page, its scripts, the library and the theory:
//   node bundle.mjs BUILD_DIRECTORY OUTPUT
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const [build, output] = process.argv.slice(2);
const own = (name) => readFileSync(join(here, name), "utf8");

// Compressed, zopfli saving 4 % beside zlib, as text that unpack.js reads: thirteen bits in two of 91 characters, the last
// five or less in one. It adds 23 % to the bytes where base64 adds 33.
function packed(content) {
  const plain = join(build, "plain");
  writeFileSync(plain, content);
  const bytes = execFileSync("zopfli", ["-c", plain]);
  const digit = (value) => String.fromCharCode(value + (value > 24 ? 36 : 35));
  let text = "";
  let bits = 0;
  let held = 0;
  const two = (value) => digit(value % 91) + digit(Math.floor(value / 91));
  for (const byte of bytes) {
    bits |= byte << held;
    held += 8;
    if (held >= 13) { text += two(bits & 8191); bits >>>= 13; held -= 13; }
  }
  return text + (held > 5 ? two(bits) : held > 0 ? digit(bits) : "");
}

const uplot = join(build, "node_modules/uplot");
// A closing tag inside a script would end it.
const script = (text) => text.replaceAll("</script", "<\\/script");

// What the file is made of, beside the project's own.
function licences() {
  const others = ["Boost (Boost Software License 1.0)", "Eigen (MPL 2.0)", "libc++ (Apache 2.0 with LLVM exceptions)", "musl (MIT)"];
  const text = `uPlot\n${readFileSync(join(uplot, "LICENSE"), "utf8").trim()}

Random123 and {fmt}, by Debian's account
${["librandom123-dev", "libfmt-dev"].map((name) => readFileSync(`/usr/share/doc/${name}/copyright`, "utf8").trim()).join("\n\n")}

In WebAssembly too: ${others.join(", ")}.`;
  return text.replaceAll("--", "- -");
}

const parts = {
  STYLE: readFileSync(join(uplot, "dist/uPlot.min.css"), "utf8") + own("style.css"),
  LICENCE: licences(),
  PAGE: packed(`"use strict";\n${[readFileSync(join(uplot, "dist/uPlot.iife.min.js"), "utf8"), ...["words.js", "painter.js", "commands.js", "pictures.js", "page.js"].map(own)].join("\n")}`),
  UNPACK: script(own("unpack.js")),
  WASM: packed(readFileSync(join(build, "explorer.wasm"))),
  GLUE: packed(readFileSync(join(build, "explorer.js"), "utf8") + own("worker.js")),
  THEORY: packed(readFileSync(join(here, "../../docs/theory.md"))),
};
const page = own("index.html").replace(/@([A-Z]+)@/g, (whole, name) => parts[name] ?? whole);
writeFileSync(output, page);

const size = Buffer.byteLength(page);
const limit = 1_000_000;
console.log(`${output}: ${size} bytes`);
if (size >= limit) {
  console.error(`The page must stay below ${limit} bytes`);
  process.exit(1);
}
