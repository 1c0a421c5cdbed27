// SPDX-License-Identifier: AGPL-3.0-or-later
// What a message costs in Chromium, as JSON lines: `proof/cost` as people's engine is built, in a page of its own. No test:
// `cargo xtask bench` makes `NODOOR_COST`, the folder of the module, and prints what this finds.
import { launch } from "./lib/browser.mjs";
import { serve } from "./lib/site.mjs";

const ROUNDS = 30;

const site = await serve(process.env.NODOOR_COST);
const browser = await launch();
try {
  const page = await browser.newPage();
  await page.goto(`${site.url}/index.html`);
  const rows = await page.evaluate(async (rounds) => {
    const { default: init, cost } = await import("/cost.js");
    await init({ module_or_path: "/cost_bg.wasm" });
    return JSON.parse(cost(rounds, () => performance.now()));
  }, ROUNDS);
  if (rows.error) throw new Error(rows.error);
  for (const row of rows) console.log(JSON.stringify({ ...row, driver: "chromium" }));
} finally {
  await browser.close();
  await site.close();
}
