// SPDX-License-Identifier: AGPL-3.0-or-later
// Debian's Chromium, and the page over the fake engine as the tests meet it.
import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { chromium } from "playwright-core";

import { partsSite } from "./build.mjs";
import { serve } from "./site.mjs";

export const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
export const SHOTS = join(ROOT, "target/screenshots");
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

/** Starts Chromium; `folder` keeps a profile on disk, without it there is none. */
export async function launch(folder) {
  const options = { executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ARGUMENTS };
  return folder ? chromium.launchPersistentContext(folder, options) : chromium.launch(options);
}

/** Chromium and the page of a development build behind one address. */
export async function start() {
  const site = await serve(await partsSite());
  const browser = await launch();
  return {
    browser,
    url: site.url,
    close: async () => {
      await browser.close();
      await site.close();
    },
  };
}

/**
 * A page over the fake engine. `size` is a width and a height, `query` chooses data (`empty`, `new`,
 * `lang=ar`, ...), `route` stands behind the `#`. Errors of the page fail the test that opened it.
 */
export async function open(world, options = {}) {
  const { size = [1280, 800], query = "", route = "/", scheme = "light", touch = false, ...rest } = options;
  const context = await world.browser.newContext({
    viewport: { width: size[0], height: size[1] },
    colorScheme: scheme,
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
    hasTouch: touch,
    isMobile: touch,
    serviceWorkers: "block",
    ...rest,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") page.faults.push(message.text());
  });
  if (options.before) await options.before(page, context);
  await page.goto(`${world.url}/?fake&${query}#${route}`);
  return page;
}

/** Makes the fake engine do something; answers with what it answers. */
export async function fake(page, order) {
  const answer = await page.evaluate(async (text) => {
    const { fake } = await import("/page.js");
    return fake(text);
  }, JSON.stringify(order));
  return answer ? JSON.parse(answer) : null;
}

/** The open chat is drawn and settled. */
export async function settled(page) {
  await page.locator(".messages [data-id]").first().waitFor();
  await frames(page, 3);
}

/** Waits for so many frames. */
export async function frames(page, count = 2) {
  await page.evaluate(async (count) => {
    for (let n = 0; n < count; n += 1) await new Promise((done) => requestAnimationFrame(done));
  }, count);
}

/** What axe-core has to say of the page: nothing, it is hoped. */
export async function axe(page) {
  // As a function's body: the policy forbids inline scripts, and rightly.
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, {
      resultTypes: ["violations"],
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    });
    return violations.flatMap((found) =>
      found.nodes.map((node) => `${found.id}: ${node.target.join(" ")}: ${node.failureSummary}`),
    );
  });
}

/** Keeps a picture for people to look at. */
export async function shot(page, name) {
  await mkdir(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, `${name}.png`), animations: "disabled", caret: "hide" });
}

/** Closes a page and fails if anything went wrong in it meanwhile. */
export async function done(page) {
  const faults = page.faults;
  await page.context().close();
  if (faults.length > 0) throw new Error(`the page reported: ${faults.join("; ")}`);
}
