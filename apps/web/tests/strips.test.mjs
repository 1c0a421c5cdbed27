// SPDX-License-Identifier: AGPL-3.0-or-later
// The strip about storage that the browser may clear, and sentences that stand once.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { done, frames, open, settled, start } from "./lib/browser.mjs";

let world;
before(async () => (world = await start()));
after(() => world?.close());

const WEEK = 7 * 24 * 3_600_000;
const strip = (page) => page.locator(".strip", { hasText: "may delete your chats" });

/** A browser that keeps nothing, until `localStorage.kept` says otherwise. */
const forgetful = async (page) => {
  await page.addInitScript(() => {
    const kept = async () => localStorage.getItem("kept") === "1";
    navigator.storage.persist = kept;
    navigator.storage.persisted = kept;
    const now = Date.now;
    Date.now = () => now() + Number(localStorage.getItem("later") ?? 0);
  });
};

async function again(page, key, value) {
  if (key) await page.evaluate(([key, value]) => localStorage.setItem(key, value), [key, value]);
  await page.reload();
  await page.locator(".side .rows").waitFor();
  await frames(page, 5);
}

test("the strip about storage stays over a reload, until it is closed, or the browser keeps it", async () => {
  const page = await open(world, { query: "few", route: "/c/1", before: forgetful });
  await settled(page);
  assert.equal(await strip(page).count(), 0);
  await page.locator(".composer textarea").fill("First");
  await page.keyboard.press("Enter");
  await strip(page).waitFor();
  await again(page);
  await strip(page).waitFor();
  await strip(page).getByRole("button", { name: "Close" }).click();
  await strip(page).waitFor({ state: "detached" });
  await again(page);
  assert.equal(await strip(page).count(), 0);
  await again(page, "later", String(WEEK + 60_000));
  await strip(page).waitFor();
  await again(page, "kept", "1");
  assert.equal(await strip(page).count(), 0);
  await again(page, "kept", "0");
  // Nothing was asked since it was kept.
  assert.equal(await strip(page).count(), 0);
  await done(page);
});

test("that handles are exact is said once", async () => {
  const page = await open(world, { query: "few", route: "/find" });
  const said = page.getByText("Handles are exact");
  await page.locator("#find-handle").fill("nils");
  assert.equal(await said.count(), 1);
  await page.keyboard.press("Enter");
  await page.locator(".main .failed").waitFor();
  assert.equal(await said.count(), 1);
  await page.locator("#find-handle").fill("ben");
  await page.locator(".main .failed").waitFor({ state: "detached" });
  assert.equal(await said.count(), 1);
  await done(page);
});
