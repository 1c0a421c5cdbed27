// SPDX-License-Identifier: AGPL-3.0-or-later
// Finding what was said: in a chat, with marks and arrows; everywhere, from the jump; a day.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { axe, done, fake, frames, open, settled, shot, start } from "./lib/browser.mjs";

let world;
before(async () => (world = await start()));
after(() => world?.close());

const marks = (page) =>
  page.evaluate(() => [...(CSS.highlights.get("found") ?? [])].map((range) => range.toString()));

async function marked(page, words) {
  await page.waitForFunction(() => (CSS.highlights.get("found")?.size ?? 0) > 0);
  assert.deepEqual([...new Set((await marks(page)).map((word) => word.toLowerCase()))], words);
}

test("Ctrl+F finds in the chat, marks where it stands, and arrows go from hit to hit", async () => {
  const page = await open(world, { route: "/c/4", size: [1280, 700] });
  await settled(page);
  await page.keyboard.press("Control+f");
  const field = page.getByRole("searchbox", { name: "Search in this chat" });
  await field.pressSequentially("doctor");
  await page.getByText(/^1 of .?\d+/u).waitFor();
  await marked(page, ["doctor"]);
  assert.equal(await field.evaluate((e) => e === document.activeElement), true);
  const shown = () => page.evaluate(() => {
    const range = [...CSS.highlights.get("found")][0];
    const box = range.getBoundingClientRect();
    return box.top > 0 && box.bottom < innerHeight;
  });
  assert.equal(await shown(), true);
  await page.keyboard.press("Enter");
  await page.getByText(/^2 of .?\d+/u).waitFor();
  await marked(page, ["doctor"]);
  await frames(page, 4);
  assert.equal(await shown(), true);
  await page.keyboard.press("ArrowDown");
  await page.getByText(/^1 of .?\d+/u).waitFor();
  assert.deepEqual(await axe(page), []);
  await shot(page, "find");
  await field.fill("no such words");
  await page.getByText("Nothing found").waitFor();
  await page.keyboard.press("Escape");
  await field.waitFor({ state: "detached" });
  assert.deepEqual(await marks(page), []);
  await done(page);
});

test("what was said anywhere is found from the jump, and opens where it stands", async () => {
  const page = await open(world, { route: "/c/1" });
  await settled(page);
  await page.keyboard.press("Control+Shift+f");
  const field = page.getByRole("combobox", { name: "Jump to" });
  await field.fill("ladder");
  const hit = page.locator(".jump-list .row", { has: page.locator("mark") }).first();
  await hit.waitFor();
  assert.equal((await hit.locator("mark").first().innerText()).toLowerCase(), "ladder");
  assert.deepEqual(await axe(page), []);
  await shot(page, "find-everywhere");
  await hit.click();
  await page.locator(".message.flash").waitFor();
  await marked(page, ["ladder"]);
  await done(page);
});

test("a day is gone to", async () => {
  const page = await open(world, { route: "/c/4", size: [1280, 700] });
  await settled(page);
  await page.keyboard.press("Control+f");
  const day = await page.evaluate(() => {
    const at = new Date(Date.now() - 3 * 24 * 3600 * 1000);
    return `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, "0")}-${String(at.getDate()).padStart(2, "0")}`;
  });
  await page.getByLabel("Go to a day").fill(day);
  await frames(page, 6);
  assert.ok((await page.locator(".messages .message").count()) > 0);
  await done(page);
});

test("what is found is text: payloads in hits stay text", async () => {
  const page = await open(world, { route: "/c/1" });
  await settled(page);
  await fake(page, { do: "arrive", chat: 1, text: "<img src=x onerror=alert(1)> findme" });
  await page.keyboard.press("Control+Shift+f");
  await page.getByRole("combobox", { name: "Jump to" }).fill("findme");
  const hit = page.locator(".jump-list .row", { has: page.locator("mark") });
  await hit.waitFor();
  assert.ok((await hit.innerText()).includes("<img src=x"));
  assert.equal(await page.locator(".jump-list img").count(), 0);
  await done(page);
});
