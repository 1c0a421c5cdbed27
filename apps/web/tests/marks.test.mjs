// SPDX-License-Identifier: AGPL-3.0-or-later
// What is done with messages: reply, react, edit, pin, forward, delete, disappear, mention; by mouse and by keyboard alone.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { axe, done, fake, frames, open, settled, shot, start } from "./lib/browser.mjs";

let world;
before(async () => (world = await start()));
after(() => world?.close());

const composer = (page) => page.locator(".composer textarea");
const last = (page) => page.locator(".messages .message").last();
const asked = async (page) =>
  (await fake(page, { do: "asked" })).filter((one) => one.message).map((one) => one.message.of);

async function write(page, text) {
  await composer(page).fill(text);
  await page.keyboard.press("Enter");
  await last(page).getByText(text.replaceAll("*", "").slice(0, 10)).waitFor();
}

async function menu(page, message = last(page)) {
  await message.click({ button: "right", position: { x: 8, y: 8 } });
  await page.getByRole("menu").waitFor();
}

const choose = (page, name) => page.getByRole("menuitem", { name, exact: true }).click();

test("everything that a row can show is shown, and reads well", async () => {
  for (const [scheme, size, name] of [
    ["light", [1280, 800], "marks"],
    ["dark", [1280, 800], "marks-dark"],
    ["light", [390, 844], "marks-390"],
    ["dark", [390, 844], "marks-390-dark"],
  ]) {
    const page = await open(world, { route: "/c/3", scheme, size });
    await settled(page);
    await fake(page, { do: "marked", chat: 3 });
    await page.locator(".quoted").first().waitFor();
    await write(page, "Yes, **ten**. I bring plates.");
    const message = page.locator(".messages .message.names-me");
    for (const [selector, text] of [
      ["strong", "Saturday"],
      [".text em", "ten"],
      ["s", "Nine"],
      [".lines code", "too early"],
      ["blockquote", "Who brings cake?"],
      ["pre code", "let cake = bring();"],
      ["a", "https://example.org"],
      [".mention.me", "@you"],
      [".meta", "edited"],
    ]) {
      const shown = await message.locator(selector).first().innerText();
      assert.ok(shown.includes(text), `${selector}: ${shown}`);
    }
    assert.equal(await message.locator(".reaction").count(), 2);
    const found = await axe(page);
    assert.deepEqual(found, []);
    await frames(page, 3);
    await shot(page, name);
    await done(page);
  }
});

test("a reply says what it answers, and leads there", async () => {
  const page = await open(world, { route: "/c/1" });
  await settled(page);
  const target = page.locator(".messages .message.in").first();
  const text = (await target.locator(".text").innerText()).slice(0, 12);
  await target.scrollIntoViewIfNeeded();
  await menu(page, target);
  await shot(page, "message-menu");
  await choose(page, "Reply");
  await page.locator(".doing").waitFor();
  await write(page, "I agree");
  await page.locator(".doing").waitFor({ state: "detached" });
  const quoted = last(page).locator(".quoted");
  assert.ok((await quoted.innerText()).includes(text.trim()), await quoted.innerText());
  await quoted.click();
  const id = await target.getAttribute("data-id");
  await page.locator(`.message.flash[data-id="${id}"]`).waitFor();
  const [reply] = (await asked(page)).filter((one) => one.reply);
  assert.deepEqual([String(reply.reply.to), reply.reply.text], [id, "I agree"]);
  await done(page);
});

test("Esc ends an answer and an edit, and what was typed is not lost", async () => {
  const page = await open(world, { route: "/c/1" });
  await settled(page);
  await write(page, "Mine to change");
  // The last message is changed with the arrow up in an empty field, and with `e` on it.
  await page.keyboard.press("ArrowUp");
  await page.locator(".doing").waitFor();
  assert.equal(await composer(page).inputValue(), "Mine to change");
  await page.keyboard.press("Escape");
  assert.equal(await composer(page).inputValue(), "");
  await composer(page).fill("Half a thought");
  await last(page).focus();
  await page.keyboard.press("e");
  await page.locator(".doing").waitFor();
  await page.waitForFunction(() => document.activeElement.matches(".composer textarea"));
  await composer(page).fill("Changed for good");
  await page.keyboard.press("Enter");
  await last(page).getByText("Changed for good").waitFor();
  await last(page).getByText("edited").waitFor();
  assert.equal(await composer(page).inputValue(), "Half a thought");
  assert.equal((await asked(page)).filter((one) => one.edit).length, 1);
  // What is being changed is no draft.
  const { draft } = await fake(page, { do: "chat", chat: 1 });
  assert.notEqual(draft, "Changed for good");
  await done(page);
});

test("one reacts by mouse and by key, and takes it back with the same", async () => {
  const page = await open(world, { route: "/c/1" });
  await settled(page);
  await menu(page);
  await page.getByRole("menuitem", { name: /React with .*👍/u }).click();
  const mine = last(page).locator(".reaction.mine");
  await mine.waitFor();
  await mine.click();
  await mine.waitFor({ state: "detached" });
  await last(page).focus();
  await page.keyboard.press("+");
  await page.getByRole("dialog").waitFor();
  assert.deepEqual(await axe(page), []);
  await shot(page, "react");
  await page.getByLabel("Or any other").fill("🦔");
  await page.keyboard.press("Enter");
  await last(page).locator(".reaction", { hasText: "🦔" }).waitFor();
  await done(page);
});

test("a pinned message stands above the chat and leads to its place", async () => {
  const page = await open(world, { route: "/c/1", size: [900, 600] });
  await settled(page);
  const first = page.locator(".messages .message").first();
  await first.scrollIntoViewIfNeeded();
  const id = await first.getAttribute("data-id");
  await menu(page, first);
  await choose(page, "Pin");
  const bar = page.locator(".pinned .to");
  await bar.waitFor();
  await page.getByRole("button", { name: /To the newest/ }).click();
  await frames(page, 10);
  assert.deepEqual(await axe(page), []);
  await shot(page, "pinned");
  await bar.click();
  await page.locator(`.message.flash[data-id="${id}"]`).waitFor();
  await menu(page, page.locator(`.message[data-id="${id}"]`));
  await choose(page, "Take the pin off");
  await bar.waitFor({ state: "detached" });
  await done(page);
});

test("a message is sent on, deleted for everyone, and read once", async () => {
  const page = await open(world, { route: "/c/1" });
  await settled(page);
  await write(page, "To be sent on");
  await menu(page);
  await choose(page, "Forward");
  await page.getByRole("combobox", { name: "Forward to" }).fill("a");
  await page.keyboard.press("ArrowDown");
  await shot(page, "forward");
  await page.keyboard.press("Enter");
  await page.getByText(/Forwarded to/).waitFor();
  assert.equal((await asked(page)).filter((one) => one.forward).length, 1);

  await menu(page);
  await choose(page, "Delete for everyone…");
  await page.getByText(/Someone may have read or copied it already/).waitFor();
  assert.deepEqual(await axe(page), []);
  await shot(page, "delete-everyone");
  await page.getByRole("button", { name: "Delete for everyone" }).click();
  await last(page).getByText("You deleted a message.").waitFor();

  await fake(page, { do: "once", chat: 1 });
  await page.getByRole("button", { name: "A message to be read once" }).click();
  await page.getByText("The door code is 4711.").waitFor();
  await shot(page, "once");
  await page.keyboard.press("Escape");
  await last(page).getByText("A message that was read once").waitFor();
  await composer(page).fill("Once from me");
  await page.locator(".composer .send").click({ button: "right" });
  await choose(page, "Send, to be read once");
  await last(page).getByText("A message to be read once").waitFor();
  assert.equal((await asked(page)).filter((one) => one.send_once).length, 1);
  await done(page);
});

test("messages of a chat disappear after the time chosen in its sheet", async () => {
  const page = await open(world, { route: "/c/1/info", size: [1280, 800] });
  await page.getByRole("button", { name: /Disappearing messages/ }).click();
  await page.getByRole("radio", { name: "1 week" }).check();
  assert.deepEqual(await axe(page), []);
  await shot(page, "timer");
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator(".names .timer").waitFor();
  await page.locator(".system", { hasText: "You set messages to disappear after" }).waitFor();
  assert.deepEqual((await asked(page)).find((one) => one.timer), { timer: { conversation: 1, seconds: 604800 } });
  await done(page);
});

test("handles are completed in groups, by key and by press", async () => {
  const page = await open(world, { route: "/c/3" });
  await settled(page);
  await composer(page).fill("");
  await composer(page).pressSequentially("Ask @");
  const list = page.getByRole("listbox", { name: "People in the group" });
  await list.waitFor();
  assert.deepEqual(await axe(page), []);
  await shot(page, "completion");
  const handle = await list.locator(".hint").nth(1).innerText();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  assert.equal(await composer(page).inputValue(), `Ask ${handle} `);
  await list.waitFor({ state: "detached" });
  await page.keyboard.press("Enter");
  await last(page).locator(".mention").waitFor();
  await composer(page).pressSequentially("mail me: x@");
  await frames(page, 3);
  assert.equal(await list.count(), 0, "an address is no mention");
  await done(page);
});

test("what others write is text: no payload runs and none is drawn", async () => {
  const page = await open(world, { route: "/c/1" });
  await settled(page);
  for (const text of [
    "**<img src=x onerror=alert(1)>**",
    "[@<script>alert(1)</script>](nodoor:account:5f2c0000000000000000000000000091)",
    "[click](javascript:alert(1))",
    "```\n</code></pre><script>alert(1)</script>\n```",
    "> <svg onload=alert(1)>",
  ]) {
    await fake(page, { do: "arrive", chat: 1, text });
    await last(page).locator(".text").waitFor();
  }
  assert.equal(await page.locator(".messages :is(script, svg[onload], img[onerror])").count(), 0);
  assert.equal(await page.locator('.messages a[href^="javascript"]').count(), 0);
  await done(page);
});
