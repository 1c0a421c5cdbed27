// SPDX-License-Identifier: AGPL-3.0-or-later
// The list as its person arranges it: pins, archive, mutes, marks, folders, the chat with oneself.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { axe, done, fake, frames, open, settled, shot, start } from "./lib/browser.mjs";

let world;
before(async () => (world = await start()));
after(() => world?.close());

const rows = (page) => page.locator(".side .rows .row");
const row = (page, name) => rows(page).filter({ hasText: name });
const titles = (page) => page.locator(".side .rows .name").allInnerTexts();

async function choose(page, name, item) {
  await row(page, name).first().click({ button: "right" });
  await page.getByRole("menuitem", { name: item, exact: true }).click();
}

test("a pinned chat stands at the top, and arrivals elsewhere leave it there", async () => {
  const page = await open(world, { query: "few" });
  await rows(page).first().waitFor();
  const name = (await titles(page))[3];
  await choose(page, name, "Pin to the top");
  await page.waitForFunction((name) => document.querySelector(".side .rows .name").innerText === name, name);
  await fake(page, { do: "arrive", chat: 2, text: "Newer" });
  await frames(page, 3);
  assert.equal((await titles(page))[0], name);
  await choose(page, name, "Take the pin off");
  await page.waitForFunction((name) => document.querySelector(".side .rows .name").innerText !== name, name);
  await done(page);
});

test("what is put away is behind a row, comes back by Undo and by the menu", async () => {
  const page = await open(world, { query: "few" });
  await rows(page).first().waitFor();
  const name = (await titles(page))[2];
  await choose(page, name, "Archive");
  await row(page, name).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Undo" }).click();
  await row(page, name).waitFor();
  await choose(page, name, "Archive");
  const way = page.getByRole("button", { name: "Archived: 1 chat" });
  await way.click();
  await row(page, name).waitFor();
  assert.equal(await rows(page).count(), 1);
  assert.deepEqual(await axe(page), []);
  await shot(page, "archived");
  await choose(page, name, "Take out of the archive");
  await page.getByText("Nothing is put away.").waitFor();
  await page.locator(".filters button").click();
  await row(page, name).waitFor();
  await done(page);
});

test("a muted chat says so, and its badge is grey", async () => {
  const page = await open(world, { query: "few" });
  await rows(page).first().waitFor();
  const name = (await titles(page))[1];
  await choose(page, name, "Mute");
  assert.deepEqual(await axe(page), []);
  await shot(page, "mute");
  await page.getByRole("button", { name: "8 hours" }).click();
  await row(page, name).locator(".sign", { hasText: "Muted" }).waitFor();
  assert.equal(await row(page, name).locator(".badge.muted").count(), 1);
  await page.getByRole("button", { name: "Undo" }).click();
  await row(page, name).locator(".sign", { hasText: "Muted" }).waitFor({ state: "detached" });
  await done(page);
});

test("a chat is marked as unread, found by the filter, and read again", async () => {
  const page = await open(world, { query: "few" });
  await rows(page).first().waitFor();
  await choose(page, "Ben Adeyemi", "Mark as unread");
  await row(page, "Ben Adeyemi").locator(".badge").waitFor();
  await page.getByRole("button", { name: "Unread", exact: true }).click();
  await row(page, "Ben Adeyemi").waitFor();
  const unread = await rows(page).count();
  assert.equal(await page.locator(".side .rows .row.unread").count(), unread);
  assert.deepEqual(await axe(page), []);
  await shot(page, "filter-unread");
  await page.getByRole("button", { name: "All", exact: true }).click();
  await choose(page, "Ben Adeyemi", "Mark as read");
  await row(page, "Ben Adeyemi").locator(".badge").waitFor({ state: "detached" });
  await done(page);
});

test("folders are made from a chat's menu, filter the list, and go with Undo", async () => {
  const page = await open(world, { query: "few" });
  await rows(page).first().waitFor();
  await choose(page, "Ben Adeyemi", "Folders");
  await page.getByLabel("New folder").fill("<b>Friends</b>");
  await page.keyboard.press("Enter");
  const box = page.getByRole("checkbox", { name: "<b>Friends</b>" });
  await box.waitFor();
  assert.equal(await box.isChecked(), true);
  assert.deepEqual(await axe(page), []);
  await shot(page, "folders");
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("button", { name: "<b>Friends</b>", exact: true }).click();
  assert.deepEqual(await titles(page), ["Ben Adeyemi"]);
  await shot(page, "filter-folder");
  await choose(page, "Ben Adeyemi", "Folders");
  await page.getByRole("button", { name: /Remove the folder/ }).click();
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByRole("button", { name: "<b>Friends</b>", exact: true }).waitFor();
  await done(page);
});

test("the chat with oneself is made from the plus, and has nobody to block", async () => {
  const page = await open(world, { query: "few" });
  await rows(page).first().waitFor();
  await page.getByRole("button", { name: "New" }).first().click();
  await page.getByRole("menuitem", { name: "Saved messages" }).click();
  await page.getByRole("heading", { name: "Saved messages" }).waitFor();
  await page.locator(".composer textarea").fill("Milk, bread");
  await page.keyboard.press("Enter");
  await settled(page);
  await page.getByRole("button", { name: "Chat menu" }).click();
  assert.equal(await page.getByRole("menuitem", { name: /Block|Mute/ }).count(), 0);
  await shot(page, "saved");
  await done(page);
});

test("a row's menu opens by key and says what it is of", async () => {
  const page = await open(world, { query: "few" });
  await rows(page).first().focus();
  await page.keyboard.press("Shift+F10");
  await page.getByRole("menu").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("menu").waitFor({ state: "detached" });
  await done(page);
});
