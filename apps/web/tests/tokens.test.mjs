// SPDX-License-Identifier: AGPL-3.0-or-later
// Reads the style sheets and holds them to the contrasts below and to one place for colours.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const file = (path) => readFileSync(new URL(path, import.meta.url), "utf8");
const withoutComments = (css) => css.replace(/\/\*[^]*?\*\//g, "");
const tokens = withoutComments(file("../static/tokens.css"));
const rules = withoutComments(file("../static/app.css"));

function block(start) {
  const from = tokens.indexOf("{", tokens.indexOf(start)) + 1;
  const found = {};
  for (const [, name, value] of tokens.slice(from, tokens.indexOf("}", from)).matchAll(/(--[\w-]+|color-scheme):\s*([^;]+);/g)) {
    found[name.replace(/^--/, "")] = value.trim();
  }
  return found;
}

const light = block(":root {");
const darkBySystem = block(':root:not([data-theme="light"])');
const dark = block(':root[data-theme="dark"]');

function luminance(hex) {
  const [r, g, b] = [1, 3, 5]
    .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one, other) {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return Math.round(((high + 0.05) / (low + 0.05)) * 10) / 10;
}

// foreground, background, light, dark, and the contrasts they must have.
const TABLE = [
  ["text", "bg", 16.6, 15.2],
  ["text", "selected", 13.6, 10.5],
  ["text", "bubble-in", 14.8, 12.3],
  ["text", "bubble-out", 13.5, 8.8],
  ["text-2", "surface", 6.7, 8.1],
  ["text-2", "selected", 5.9, 5.9],
  ["text-3", "bg", 6.0, 7.1],
  ["text-3", "sunken", 5.2, 7.4],
  ["text-3", "selected", 4.9, 4.9],
  ["bubble-out-meta", "bubble-out", 6.1, 6.2],
  ["line-strong", "bg", 3.6, 4.4],
  ["line-strong", "surface", 3.4, 4.1],
  ["focus", "bg", 6.4, 8.6],
  ["focus", "selected", 5.2, 6.0],
  ["focus", "bubble-out", 5.2, 5.0],
  ["accent", "bg", 6.4, 8.9],
  ["accent", "bubble-out", 5.2, 5.1],
  ["on-accent", "accent", 6.4, 8.3],
  ["danger", "bg", 6.5, 9.0],
  ["danger", "bubble-out", 5.3, 5.2],
  ["warn-text", "warn-bg", 7.5, 9.1],
  ["on-red", "red-fill", 9.1, 10.7],
  ["public-text", "public-bg", 8.2, 8.6],
  ["warn-line", "bg", 4.3, 6.8],
];

test("the tokens have the contrasts of the design's table", () => {
  for (const [front, back, inLight, inDark] of TABLE) {
    const name = `${front} on ${back}`;
    const [found, foundDark] = [contrast(light[front], light[back]), contrast(dark[front], dark[back])];
    // The table is rounded; a tenth is what rounding may do.
    assert.ok(Math.abs(found - inLight) < 0.15, `${name}, light: ${found}, not ${inLight}`);
    assert.ok(Math.abs(foundDark - inDark) < 0.15, `${name}, dark: ${foundDark}, not ${inDark}`);
  }
});

test("every person's colour is readable as name and as picture", () => {
  for (let n = 0; n < 8; n += 1) {
    assert.ok(contrast(light[`person-${n}`], light["bubble-in"]) >= 4.5, `${n}, light`);
    assert.ok(contrast(dark[`person-${n}`], dark["bubble-in"]) >= 4.5, `${n}, dark`);
    assert.ok(contrast(light["on-person"], light[`person-${n}`]) >= 4.5, `${n}, letter, light`);
    assert.ok(contrast(dark["on-person"], dark[`person-${n}`]) >= 4.5, `${n}, letter, dark`);
  }
});

test("dark by choice and dark by the system are one", () => {
  assert.deepEqual(dark, darkBySystem);
  const colours = Object.keys(light).filter((name) => light[name].startsWith("#") && name !== "scrim");
  for (const name of colours) assert.ok(dark[name], `${name} has no dark value`);
});

test("no colour stands outside the tokens", () => {
  // The name of a token may say a colour.
  const values = rules.replace(/var\(--[\w-]+\)/g, "");
  assert.doesNotMatch(values, /#[0-9a-f]{3,8}\b|rgb|hsl|oklch|\b(white(?!-)|black|red|green|blue|gr[ae]y)\b/i);
});

test("no rule knows left or right", () => {
  const found = rules.match(/[\w-]*\b(left|right)\b[\w-]*\s*[:;]|(margin|padding)-(top|bottom)\b/g);
  assert.equal(found, null);
  // Four values go round by the hand of a clock: the second and fourth are sides.
  const four = rules.match(/(?:margin|padding|inset|border-radius):\s*(?:[^\s;]+\s+){3}[^\s;]+;/g);
  assert.equal(four, null);
});

test("the icons in the page are those of the folder", () => {
  const script = fileURLToPath(new URL("../icons/build.mjs", import.meta.url));
  execFileSync(process.execPath, [script, "--check"]);
});
