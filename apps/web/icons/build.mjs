// SPDX-License-Identifier: AGPL-3.0-or-later
// Writes the <symbol> block of static/index.html from the SVG files beside this one:
//   node apps/web/icons/build.mjs          writes
//   node apps/web/icons/build.mjs --check  exits with 1 if the block is not what the files say
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

const here = new URL(".", import.meta.url);
const page = new URL("../static/index.html", here);

const symbols = readdirSync(here)
  .filter((name) => name.endsWith(".svg"))
  .sort()
  .map((name) => {
    const svg = readFileSync(new URL(name, here), "utf8");
    const inner = svg
      .slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"))
      .replace(/\s+/g, " ")
      .replace(/> </g, "><")
      .replace(/ \/>/g, "/>")
      .trim();
    return `<symbol id="i-${name.slice(0, -4)}" viewBox="0 0 24 24">${inner}</symbol>`;
  });

const before = readFileSync(page, "utf8");
const after = before.replace(
  /(<!-- icons -->\n)[^]*?(<!-- \/icons -->)/,
  (_, open, close) => `${open}<svg hidden aria-hidden="true">${symbols.join("")}</svg>\n${close}`,
);
if (process.argv.includes("--check")) {
  process.exit(before === after ? 0 : 1);
}
writeFileSync(page, after);
