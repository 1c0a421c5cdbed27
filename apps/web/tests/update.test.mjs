// SPDX-License-Identifier: AGPL-3.0-or-later
// A new version of the web app, while the old one is open: it is told, it waits, and it takes over whole.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";

import { shot } from "./lib/browser.mjs";
import { house, missing, register, visit } from "./lib/real.mjs";

const skip = missing ? `${missing} is not there` : false;
let home;
after(() => home?.close());

/** Puts a version into the folder that differs in one file, as `cargo xtask web` would have made it. */
async function release(web, file, more) {
  const changed = `${await readFile(join(web, file), "utf8")}${more}`;
  const hash = createHash("sha256").update(changed).digest("hex");
  const worker = await readFile(join(web, "sw.js"), "utf8");
  const listed = worker.replace(new RegExp(`"/${file}":"[0-9a-f]+"`), `"/${file}":"${hash}"`);
  assert.notEqual(listed, worker);
  for (const [name, text] of [[file, changed], ["sw.js", listed]]) {
    await writeFile(join(web, name), text);
    await rm(join(web, `${name}.br`), { force: true });
  }
}

test("a new version says so, waits, and takes over whole", { skip, timeout: 120_000 }, async () => {
  home = await house();
  const page = await visit(await home.person("alice"), home.url);
  await register(page, "alice");
  await page.waitForFunction(() => navigator.serviceWorker.controller);
  assert.equal(await page.locator(".strip").count(), 0);

  await home.down();
  await release(home.web, "licences.txt", "One line more.\n");
  await home.up();
  await page.evaluate(async () => (await navigator.serviceWorker.getRegistration()).update());
  await page.getByText("A new version is ready.").waitFor();
  const licences = () => page.evaluate(async () => (await fetch("/licences.txt")).text());
  assert.doesNotMatch(await licences(), /One line more/, "a file of the version that waits");
  await shot(page, "real-update-strip");

  await page.getByRole("button", { name: "What changed" }).click();
  await page.getByRole("dialog").getByText("Your chats and drafts stay as they are.").waitFor();
  const loaded = page.waitForEvent("load");
  await page.getByRole("button", { name: "Restart" }).click();
  await loaded;
  await page.locator(".side .head").waitFor();
  assert.match(await licences(), /One line more/);
  assert.equal(await page.getByText("A new version is ready.").count(), 0);
  assert.deepEqual(page.faults, []);
});
