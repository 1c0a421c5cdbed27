// SPDX-License-Identifier: AGPL-3.0-or-later
// Two profiles of Chromium and the terminal client through one real server process.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { shot } from "./lib/browser.mjs";
import { find, house, missing, register, visit, write } from "./lib/real.mjs";

const skip = missing ? `${missing} is not there` : false;
let home;
before(async () => {
  if (!skip) home = await house();
});
after(() => home?.close());

const delivered = (page, text) =>
  page.locator(".message.out", { hasText: text }).locator(":is([data-state=delivered], [data-state=read])").waitFor();
const arrived = (page, text) => page.locator(".message.in", { hasText: text }).waitFor();

let alice;
let bob;
let alicePage;
let bobPage;

test("two profiles talk, from the address to a delivered message in under 60 seconds", { skip, timeout: 180_000 }, async () => {
  [alice, bob] = [await home.person("alice"), await home.person("bob")];
  const start = Date.now();
  [alicePage, bobPage] = await Promise.all([visit(alice, home.url), visit(bob, home.url)]);
  await Promise.all([register(alicePage, "alice"), register(bobPage, "bob")]);
  const registered = Date.now();
  assert.ok(registered - start < 30_000, `accounts after ${registered - start} ms`);
  await alicePage.getByText("Find someone by handle, or send them your link.").waitFor();
  await find(alicePage, "@bob");
  await alicePage.getByText(/Only your devices and .* can read this chat/).waitFor();
  await write(alicePage, "Hello Bob, https://example.org is a link");
  await bobPage.locator(".row.requests").click();
  await bobPage.getByText("Hello Bob, https://example.org is a link").waitFor();
  assert.equal(await bobPage.locator(".request a").count(), 0);
  await bobPage.getByRole("button", { name: "Accept" }).click();
  await arrived(bobPage, "Hello Bob");
  await write(bobPage, "Hello Alice");
  await arrived(alicePage, "Hello Alice");
  await delivered(bobPage, "Hello Alice");
  const took = Date.now() - start;
  console.log(`# from the address to a delivered message: ${took} ms`);
  assert.ok(took < 60_000, `${took} ms`);
  await delivered(alicePage, "Hello Bob");
  await shot(alicePage, "real-alice");
  await shot(bobPage, "real-bob");
});

test("a second tab offers to use it there, and takes over", { skip, timeout: 90_000 }, async () => {
  const second = await visit(alice, home.url);
  await second.getByText("Nodoor runs in one tab at a time.").waitFor();
  await second.getByRole("button", { name: "Use it here" }).click();
  await second.locator(".row", { hasText: "@bob" }).click();
  await arrived(second, "Hello Alice");
  await alicePage.getByText("Nodoor runs in one tab at a time.").waitFor();
  await alicePage.close();
  alicePage = second;
  await write(alicePage, "From the second tab");
  await arrived(bobPage, "From the second tab");
});

test("a killed tab loses neither history, nor the draft, nor the account", { skip, timeout: 90_000 }, async () => {
  await alicePage.locator(".composer textarea").fill("Half a thou");
  await alicePage.waitForTimeout(1000);
  // As the system kills it: nothing in the page runs any more.
  const session = await alice.newCDPSession(alicePage);
  const crashed = alicePage.waitForEvent("crash");
  session.send("Page.crash").catch(() => {});
  await crashed;
  alicePage.close().catch(() => {});
  await write(bobPage, "While you were gone");
  alicePage = await visit(alice, home.url);
  const row = alicePage.locator(".row", { hasText: "@bob" });
  await row.getByText("Half a thou").waitFor();
  await row.getByText("1 unread").waitFor();
  assert.equal(await alicePage.title(), "(1) Nodoor");
  await row.click();
  await arrived(alicePage, "Hello Alice");
  await alicePage.getByRole("separator", { name: "1 unread" }).waitFor();
  assert.equal(await alicePage.locator(".composer textarea").inputValue(), "Half a thou");
  await row.locator(".badge").waitFor({ state: "detached" });
});

test("without a server it starts, messages wait in order, and go when it is back", { skip, timeout: 120_000 }, async () => {
  await alicePage.evaluate(() => navigator.serviceWorker.ready.then(() => true));
  await home.down();
  await alicePage.reload();
  await alicePage.locator(".row", { hasText: "@bob" }).click();
  await arrived(alicePage, "Hello Alice");
  await alicePage.getByText("Offline. Messages wait here.").waitFor();
  for (const text of ["first of three", "second of three", "third of three"]) {
    await write(alicePage, text);
  }
  assert.equal(await alicePage.locator(".main").getByText("Not sent").count(), 0);
  await alicePage.locator(".message.out [data-state=waiting]").first().waitFor();
  await home.up();
  await arrived(bobPage, "third of three");
  const texts = await bobPage.locator(".message.in").evaluateAll((all) =>
    all.map((e) => e.innerText.match(/\w+ of three/)?.[0]).filter(Boolean),
  );
  assert.deepEqual(texts, ["first of three", "second of three", "third of three"]);
  await delivered(alicePage, "third of three");
  await alicePage.getByText("Offline. Messages wait here.").waitFor({ state: "detached" });
});

test("a connection that says nothing more is noticed", { skip, timeout: 120_000 }, async () => {
  home.freeze();
  // As when a laptop wakes up: the sockets look alive, and nothing comes through them.
  await bobPage.evaluate(() => window.dispatchEvent(new Event("online")));
  await bobPage.getByText("Offline. Messages wait here.").waitFor({ timeout: 60_000 });
  await write(bobPage, "into the silence");
  home.thaw();
  await arrived(alicePage, "into the silence");
  await bobPage.getByText("Offline. Messages wait here.").waitFor({ state: "detached", timeout: 90_000 });
});

test("the terminal and the page talk to each other", { skip, timeout: 120_000 }, async () => {
  await home.terminal("carol", "register", "--handle", "carol");
  await home.terminal("carol", "send", "@alice", "From the terminal");
  await alicePage.locator(".row.requests").click();
  await alicePage.getByText("From the terminal").waitFor();
  await alicePage.getByRole("button", { name: "Accept" }).click();
  await arrived(alicePage, "From the terminal");
  await write(alicePage, "From the page");
  const lines = await home.terminal("carol", "receive", "--wait", "30");
  assert.equal(lines.at(-1).text, "From the page");
  // What is said about a message goes both ways.
  await home.terminal("carol", "react", lines.at(-1).message, "👍");
  await home.terminal("carol", "reply", lines.at(-1).message, "And **back**");
  const mine = alicePage.locator(".message.out", { hasText: "From the page" });
  await mine.locator(".reaction", { hasText: "👍" }).waitFor();
  const reply = alicePage.locator(".message.in", { hasText: "And back" });
  await reply.locator(".quoted", { hasText: "From the page" }).waitFor();
  await reply.locator("strong").waitFor();
  await reply.click({ button: "right" });
  await alicePage.getByRole("menuitem", { name: /React with .*❤️/u }).click();
  await reply.locator(".reaction.mine").waitFor();
  await mine.click({ button: "right" });
  await alicePage.getByRole("menuitem", { name: "Edit" }).click();
  await alicePage.locator(".composer textarea").fill("From the page, changed");
  await alicePage.keyboard.press("Enter");
  await mine.getByText("edited").waitFor();
  await home.terminal("carol", "receive", "--wait", "2");
  const [asked, changed, answer] = (await home.terminal("carol", "history", "@alice")).slice(-3);
  assert.equal(asked.kind, "text");
  assert.deepEqual([changed.text, changed.edited], ["From the page, changed", true]);
  assert.deepEqual(answer.reactions, [{ emoji: "❤️", from: ["@alice"] }]);
});

test("an invite link leads to an account and into the chat", { skip, timeout: 120_000 }, async () => {
  const dave = await home.person("dave");
  const page = await visit(dave, `${home.url}/#@alice`);
  await page.getByText("@alice").first().waitFor();
  await register(page, "dave");
  // Opening a link makes no chat; a press does.
  await page.locator(".main .card").getByText("@alice").first().waitFor();
  assert.equal(await page.locator(".side .rows li").count(), 0);
  await page.locator(".main .card").getByRole("button", { name: "Message" }).click();
  await page.waitForURL(/#\/c\/\d+$/);
  await write(page, "I followed your link");
  await alicePage.locator(".row.requests").click();
  await alicePage.getByText("I followed your link").waitFor();
  await alicePage.getByRole("button", { name: "Block" }).click();
  await alicePage.getByText("is not told.").waitFor();
});

test("a group is made, talks, and people are counted", { skip, timeout: 120_000 }, async () => {
  await alicePage.evaluate(() => (location.hash = "#/group"));
  await alicePage.locator("#group-title").fill("Garden");
  // One by a press, one typed and not added by hand: both are meant.
  await alicePage.getByRole("button", { name: /^Add .*@bob/ }).click();
  await alicePage.getByRole("button", { name: /^Remove .*@bob/ }).waitFor();
  await alicePage.locator("#find-handle").fill("carol");
  await alicePage.getByRole("button", { name: "Create group" }).click();
  await alicePage.waitForURL(/#\/c\/\d+$/);
  await alicePage.locator(".messages").getByText("You made the group.").waitFor();
  await write(alicePage, "Who has the ladder?");
  // Who was added stands above what was written at once.
  await alicePage.getByText("You added @carol").or(alicePage.getByText(/You added .*carol/)).first().waitFor();
  const order = await alicePage.locator(".messages").innerText();
  assert.ok(order.lastIndexOf("You added") < order.indexOf("Who has the ladder?"), order);
  // An invitation is a request too, of people one knows as well.
  await bobPage.locator(".row.requests").click();
  await bobPage.getByText(/invites you to .*Garden/).waitFor();
  await bobPage.getByRole("button", { name: "Accept" }).click();
  await arrived(bobPage, "Who has the ladder?");
  await write(bobPage, "I do");
  await arrived(alicePage, "I do");
  await alicePage.getByText(/3 people.*3 devices can read this/).first().waitFor();
  await shot(alicePage, "real-group");
  assert.deepEqual(alicePage.faults, []);
  assert.deepEqual(bobPage.faults, []);
});
