// SPDX-License-Identifier: AGPL-3.0-or-later
// Who leads a group: roles, bans, who may write and how often, and its invite link.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { axe, done, fake, open, settled, shot, start } from "./lib/browser.mjs";

let world;
before(async () => (world = await start()));
after(() => world?.close());

const asked = async (page) =>
  (await fake(page, { do: "asked" })).filter((one) => one.group).map((one) => one.group.of);
const line = (page, text) => page.locator(".system", { hasText: text }).last().waitFor();

async function sheet() {
  const page = await open(world, { route: "/c/3/info", size: [1280, 800] });
  await page.locator(".sheet .who").waitFor();
  await settled(page);
  return page;
}

/** Opens the menu of the second person in the group. The sheet is drawn anew with each line of its chat. */
async function member(page) {
  const button = page.getByRole("button", { name: /^What to do with/ }).nth(1);
  for (let tries = 0; tries < 5; tries += 1) {
    await button.click();
    const shown = page.getByRole("menu").waitFor({ timeout: 2000 });
    if (await shown.then(() => true, () => false)) return;
  }
  assert.fail("no menu");
}

test("an owner makes an admin, and puts somebody out for good, by keyboard", async () => {
  const page = await sheet();
  await member(page);
  assert.deepEqual(await axe(page), []);
  await shot(page, "member-menu");
  const name = (id) => page.getByRole("menuitem", { name: id, exact: true });
  await name("Make an owner").waitFor();
  await name("Make an admin").focus();
  await page.keyboard.press("Enter");
  await page.locator(".sheet .item", { hasText: "admin" }).first().waitFor();
  await line(page, "an admin.");
  await member(page);
  await name("Take the role away").waitFor();
  await name("Remove and ban").click();
  await page.locator(".sheet").getByRole("button", { name: "Lift the ban" }).waitFor();
  await shot(page, "group-banned");
  await page.locator(".sheet").getByRole("button", { name: "Lift the ban" }).click();
  await page.locator(".sheet").getByRole("button", { name: "Lift the ban" }).waitFor({ state: "detached" });
  const said = await asked(page);
  assert.deepEqual(said.map((one) => Object.keys(one)[0]), ["set_role", "ban", "ban"]);
  assert.deepEqual(said.slice(1).map((one) => one.ban.on), [true, false]);
  await done(page);
});

test("who may write, and how often, is chosen in the sheet", async () => {
  const page = await sheet();
  await page.getByRole("checkbox", { name: "Only admins and owners write" }).check();
  await line(page, "only admins and owners write");
  await page.locator(".sheet").getByRole("button", { name: /Slow mode/ }).click();
  await page.getByRole("radio", { name: "10 minutes" }).check();
  assert.deepEqual(await axe(page), []);
  await shot(page, "slow-mode");
  await page.getByRole("button", { name: "Save" }).click();
  await line(page, "a pause of");
  const said = (await asked(page)).map((one) => one.set_conduct);
  assert.deepEqual(said.map((one) => [one.announcements, one.slow]), [[true, 0], [true, 600]]);
  await done(page);
});

test("an invite link is made, copied and ended, and who asks by it is let in", async () => {
  const page = await sheet();
  await page.locator(".sheet").getByRole("button", { name: /Invite link/ }).click();
  const dialog = page.getByRole("dialog", { name: "Invite link" });
  await dialog.getByRole("checkbox").check();
  await dialog.getByRole("button", { name: "Make a link" }).click();
  await dialog.getByText("/#@mira/5a5a").waitFor();
  assert.deepEqual(await axe(page), []);
  await shot(page, "group-link");
  await page.keyboard.press("Escape");
  const item = page.locator(".sheet .part", { hasText: "Ask to come in" });
  await item.getByRole("button", { name: "Let in" }).waitFor();
  await shot(page, "group-asking");
  await page.locator(".sheet").getByRole("button", { name: /Invite link/ }).click();
  await dialog.getByRole("button", { name: "End the link" }).click();
  await dialog.getByRole("button", { name: "Make a link" }).waitFor();
  const said = (await asked(page)).map((one) => one.set_link?.approval);
  assert.deepEqual(said, [true, null]);
  await done(page);
});

test("a group's link asks before it asks, and says so when it leads nowhere", async () => {
  const page = await open(world, { route: `@ben/${"5a".repeat(48)}`, size: [390, 844] });
  const dialog = page.getByRole("dialog", { name: "Join a group" });
  await dialog.getByText("@ben").first().waitFor();
  assert.deepEqual(await asked(page), []);
  assert.deepEqual(await axe(page), []);
  await shot(page, "join-group");
  await dialog.getByRole("button", { name: "Ask to join" }).click();
  await dialog.getByRole("alert").getByText("That is no link to a group.").waitFor();
  await done(page);
});
