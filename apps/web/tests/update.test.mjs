// SPDX-License-Identifier: AGPL-3.0-or-later
// A new version of the web app, while the old one is open: it is told, it waits, and it takes over whole.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";

import { axe, shot } from "./lib/browser.mjs";
import { house, missing, register, visit } from "./lib/real.mjs";

const skip = missing ? `${missing} is not there` : false;
let home;
after(() => home?.close());

/** Puts a version into the folder that differs in one file, as `cargo xtask web` would have made it. */
async function release(web, file, more, manifest = true) {
  const changed = `${await readFile(join(web, file), "utf8")}${more}`;
  const hash = createHash("sha256").update(changed).digest("hex");
  const worker = await readFile(join(web, "sw.js"), "utf8");
  const listed = worker.replace(new RegExp(`"/${file}":"[0-9a-f]+"`), `"/${file}":"${hash}"`);
  assert.notEqual(listed, worker);
  const parts = JSON.parse(await readFile(join(web, "integrity.json"), "utf8"));
  parts.hashes[`/${file}`] = createHash("sha256").update(changed).digest("base64url");
  const written = [[file, changed], ["sw.js", listed]];
  if (manifest) written.push(["integrity.json", JSON.stringify(parts)]);
  for (const [name, text] of written) {
    await writeFile(join(web, name), text);
    await rm(join(web, `${name}.br`), { force: true });
  }
}

/** SHA-256 of the manifest in the folder. */
const fingerprint = async (web) =>
  createHash("sha256").update(await readFile(join(web, "integrity.json"))).digest("hex");

/** The fingerprint of what runs, as a person reads it. */
async function runs(page) {
  await page.evaluate(() => (location.hash = "#/settings/about"));
  const line = page.locator(".main .item .code");
  await line.getByText(/[0-9a-f]{64}/).waitFor();
  return (await line.innerText()).trim();
}

test("a new version says so, waits, and takes over whole", { skip, timeout: 120_000 }, async () => {
  home = await house();
  const page = await visit(await home.person("alice"), home.url);
  await register(page, "alice");
  await page.waitForFunction(() => navigator.serviceWorker.controller);
  assert.equal(await page.locator(".strip").count(), 0);
  const first = await fingerprint(home.web);
  assert.equal(await runs(page), first);
  // It comes when it is first used, and stays then.
  const licences = () => page.evaluate(async () => (await fetch("/licences.txt")).text());
  assert.doesNotMatch(await licences(), /One line more/);

  await home.down();
  await release(home.web, "licences.txt", "One line more.\n");
  await home.up();
  const second = await fingerprint(home.web);
  assert.notEqual(second, first);
  await page.evaluate(async () => (await navigator.serviceWorker.getRegistration()).update());
  await page.getByText("A new version is ready.").waitFor();
  assert.doesNotMatch(await licences(), /One line more/, "a file of the version that waits");
  await shot(page, "real-update-strip");

  await page.getByRole("button", { name: "What changed" }).click();
  await page.getByRole("dialog").getByText("Your chats and drafts stay as they are.").waitFor();
  // Held against the manifest that runs here: this file and no other, and the fingerprint of what comes.
  await page.getByRole("dialog").getByText(second).waitFor();
  assert.deepEqual(await page.locator("dialog li").allInnerTexts(), ["± /licences.txt"]);
  await shot(page, "real-update-changes");
  assert.deepEqual(await axe(page), []);
  const loaded = page.waitForEvent("load");
  await page.getByRole("button", { name: "Restart" }).click();
  await loaded;
  await page.locator(".side .head").waitFor();
  assert.match(await licences(), /One line more/);
  assert.equal(await page.getByText("A new version is ready.").count(), 0);
  assert.equal(await runs(page), second);

  // A version whose manifest names other files is not taken, and the one before goes on.
  await home.down();
  await release(home.web, "licences.txt", "And another.\n", false);
  await home.up();
  const state = await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.getRegistration();
    const found = new Promise((done) => registration.addEventListener("updatefound", () => done(registration.installing)));
    await registration.update().catch(() => {});
    const coming = await found;
    while (!["installed", "redundant"].includes(coming.state)) {
      await new Promise((done) => coming.addEventListener("statechange", done, { once: true }));
    }
    return coming.state;
  });
  assert.equal(state, "redundant");
  assert.doesNotMatch(await licences(), /And another/);
  // What is not here yet comes as its own version has it, or not at all.
  await page.evaluate(async () => {
    for (const name of await caches.keys()) await (await caches.open(name)).delete("/licences.txt");
  });
  assert.equal(await licences().catch(() => "not at all"), "not at all");
  assert.equal(await page.getByText("A new version is ready.").count(), 0);
  assert.deepEqual(page.faults, []);
});
