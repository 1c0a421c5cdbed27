// SPDX-License-Identifier: AGPL-3.0-or-later
// A picture of each screen in light and dark, at 390 and 1280 pixels, in Arabic and at 200 % text, into
// target/screenshots; and axe-core reports nothing on any of them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { axe, done, fake, frames, open, settled, shot, start } from "./lib/browser.mjs";

let world;
before(async () => (world = await start()));
after(() => world?.close());

const NARROW = [390, 844];
const WIDE = [1280, 800];
const WAYS = [
  ["light-1280", { size: WIDE }],
  ["dark-1280", { size: WIDE, scheme: "dark" }],
  ["light-390", { size: NARROW }],
  ["dark-390", { size: NARROW, scheme: "dark" }],
  ["arabic-1280", { size: WIDE, query: "lang=ar", locale: "ar" }],
  ["arabic-390", { size: NARROW, query: "lang=ar", locale: "ar", scheme: "dark" }],
  ["200-1280", { size: WIDE, query: "text=200" }],
  ["200-390", { size: NARROW, query: "text=200" }],
];
// The chats once more with messages as lines instead of bubbles.
const LINES = [
  ["light-1280", { size: WIDE }],
  ["dark-390", { size: NARROW, scheme: "dark" }],
  ["arabic-390", { size: NARROW, query: "lang=ar", locale: "ar" }],
  ["200-390", { size: NARROW, query: "text=200" }],
];

// A name, where it is, what is done there, and what must be seen.
const go = (page, hash) => page.evaluate((hash) => (location.hash = hash), hash);
const press = (selector) => (page) => page.locator(selector).locator("visible=true").first().click();
const SCREENS = [
  ["list", "#/", ".rows"],
  ["chat", "#/c/1", ".messages [data-id]"],
  ["chat-unread", "#/c/4", "[data-divider]"],
  ["chat-long", "#/c/5", ".more"],
  ["chat-not-sent", "#/c/6", ".not-sent"],
  ["group", "#/c/3", ".messages [data-id]"],
  ["group-left", "#/c/30", ".composer-instead"],
  ["contact-sheet", "#/c/1/info", ".sheet .who"],
  ["compare", "#/c/1/info", "dialog .sixty", press(".sheet button.item")],
  ["group-sheet", "#/c/3/info", ".sheet .who"],
  ["member-menu", "#/c/3/info", ".menu", press(".sheet .item .icon-button")],
  ["slow-mode", "#/c/3/info", "dialog fieldset", press(".sheet button.item:has(use[href$=i-hourglass])")],
  ["message-menu", "#/c/1", ".menu", (page) => page.locator(".message.in").last().click({ button: "right" })],
  ["message-info", "#/c/1", "dialog .facts", async (page) => {
    await page.locator(".message.out").last().click({ button: "right" });
    await page.locator(".menu button:has(use[href$=i-info])").click();
  }],
  ["marks", "#/c/3", ".quoted", (page) => fake(page, { do: "marked", chat: 3 })],
  ["replying", "#/c/1", ".doing", async (page) => {
    await page.locator(".message.in").last().focus();
    await page.keyboard.press("r");
  }],
  ["react", "#/c/1", "dialog .emojis", async (page) => {
    await page.locator(".message.out").last().focus();
    await page.keyboard.press("+");
  }],
  ["forward", "#/c/1", "dialog .jump-list .row", async (page) => {
    await page.locator(".message.out").last().click({ button: "right" });
    await page.locator(".menu button:has(use[href$=i-forward])").click();
  }],
  ["delete-everyone", "#/c/1", "dialog .danger", async (page) => {
    await page.locator(".message.out").last().click({ button: "right" });
    await page.locator(".menu .danger").last().click();
  }],
  ["timer", "#/c/1/info", "dialog fieldset", async (page) => {
    await page.locator(".sheet button.item:has(use[href$=i-timer])").click();
  }],
  ["completion", "#/c/3", ".completion .row", async (page) => {
    await page.locator(".composer textarea").pressSequentially("@");
  }],
  ["pinned", "#/c/1", ".pinned .to", async (page) => {
    await page.locator(".message.in").last().click({ button: "right" });
    await page.locator(".menu button:has(use[href$=i-pin])").click();
  }],
  ["chat-menu", "#/c/1", ".menu", press(".main .head > .icon-button")],
  ["jump", "#/c/1", "dialog .jump-list .row", (page) => page.keyboard.press("Control+k")],
  ["keys", "#/c/1", "dialog .keys", async (page) => {
    await page.evaluate(() => document.activeElement.blur());
    await page.keyboard.press("?");
  }],
  ["requests", "#/requests", ".request"],
  ["find", "#/find", "#find-handle"],
  ["found", "#/find", ".main .card", async (page) => {
    await page.locator("#find-handle").fill("ben");
    await page.keyboard.press("Enter");
  }],
  ["not-found", "#/settings|#/find", ".main .failed", async (page) => {
    await page.locator("#find-handle").fill("nils");
    await page.keyboard.press("Enter");
  }],
  ["my-link", "#/", "dialog .qr", async (page) => {
    await page.locator(".side .head .icon-button").first().click();
    await page.locator(".menu button").last().click();
  }],
  ["new-group", "#/group", "#group-title"],
  ["settings", "#/settings", ".main .list"],
  ["settings-profile", "#/settings/profile", ".main .who"],
  ["settings-devices", "#/settings/devices", ".main .item"],
  ["check-amber", "#/c/2/info", ".sheet .warn-note"],
  ["check-red", "#/c/5/info", ".sheet .card .failed"],
  ["link-device", "#/settings/devices", "#link-letters", press(".main .button.main-one")],
  ["link-digits", "#/settings/devices", "dialog .digits", async (page) => {
    await page.locator(".main .button.main-one").click();
    await page.locator("#link-letters").fill("ABCD-EFGH-IJKL-MNOP-QRST-UVWX");
    await page.keyboard.press("Enter");
  }],
  ["link-done", "#/settings/devices", "#history-words", async (page) => {
    await page.locator(".main .button.main-one").click();
    await page.locator("#link-letters").waitFor();
    await fake(page, { do: "event", event: { device: { what: { linking: { state: { linked: {
      device: { device: "d3".repeat(16), name: "Chromium on Linux", added_at: 0, current: false },
    } } } } } } });
  }],
  ["device-remove", "#/settings/devices", "dialog .danger", (page) => page.locator(".main .item .icon-button").last().click()],
  ["device-added", "#/", "dialog .danger", (page) => fake(page, { do: "event", event: { device: { what: { added: {
    device: { device: "d3".repeat(16), name: "Chromium on Linux", added_at: 0, current: false }, by: "Terminal at the desk", by_words: false,
  } } } } })],
  ["settings-words", "#/settings/words", ".words", press(".main .button.main-one")],
  ["words-asked", "#/settings|#/settings/words", "#word-2", async (page) => {
    await page.locator(".main .button.main-one").click();
    await page.locator(".words").waitFor();
    await page.locator(".main .button.main-one").click();
  }],
  ["settings-appearance", "#/settings/appearance", ".main fieldset"],
  ["settings-notifications", "#/settings/notifications", ".main fieldset"],
  ["settings-privacy", "#/settings/privacy", ".main .list"],
  ["settings-storage", "#/settings/storage", ".main .list"],
  ["settings-about", "#/settings/about", ".main .list"],
  ["settings-limits", "#/settings/limits", ".limits"],
  ["settings-erase", "#/settings/erase", ".main .danger"],
  ["erase", "#/settings/erase", "dialog", press(".main .danger")],
  ["toast", "#/c/1", ".toast", async (page) => {
    await page.locator(".message.out").last().click({ button: "right" });
    await page.locator(".menu .danger").first().click();
  }],
];

const ledger = (more) => ({ ledger: { state: {
  freshness: "fresh", log_time: Date.now() - 80 * 3_600_000, size: 48211, unwitnessed: true, awaited: 0, proof: null, ...more,
} } });
const proof = (answered) => ({ kind: "equivocation", at: Date.now() - 60_000, who: null, own: false, answered });

async function look(page, way, name, wait = 0) {
  if (wait) await page.waitForTimeout(wait);
  await frames(page, 3);
  await shot(page, `${name}-${way}`);
  const found = await axe(page);
  return found.map((line) => `${name}: ${line}`);
}

for (const [way, options] of WAYS) {
  test(`screens: ${way}`, async () => {
    const found = [];
    // Few chats: what axe-core and the painter do grows with them, what is seen does not.
    const page = await open(world, { ...options, query: `few&${options.query ?? ""}` });
    await page.locator(".side .rows").waitFor();
    for (const [name, hashes, seen, act] of SCREENS) {
      for (const hash of hashes.split("|")) await go(page, hash);
      await page.waitForFunction((hash) => location.hash === hash, hashes.split("|").at(-1));
      if (act) {
        await frames(page, 4);
        if (/^#\/c\/\d+$/.test(hashes)) await page.locator(".messages [data-id]").first().waitFor();
        await act(page);
      }
      await page.locator(seen).locator("visible=true").first().waitFor();
      found.push(...(await look(page, way, name)));
      if (await page.locator("dialog, .menu").count()) {
        await page.keyboard.press("Escape");
        await page.locator("dialog, .menu").waitFor({ state: "detached" });
      }
    }
    // Strips, then what takes the whole window.
    await go(page, "#/");
    for (const [name, event] of [
      ["strip-offline", { connection: { state: "offline" } }],
      ["strip-clock", { clock_wrong: { seconds: 3600 } }],
      ["strip-ledger-red", ledger({ freshness: "red" })],
      ["strip-proof", ledger({ proof: proof(true) })],
      ["strip-disk", "disk_trouble"],
      ["proof", ledger({ proof: proof(false) })],
    ]) {
      await fake(page, { do: "event", event });
      await page.locator(name === "proof" ? ".alarm[open]" : ".strip").waitFor();
      found.push(...(await look(page, way, name)));
    }
    // Nothing but an answer closes it.
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await frames(page, 2);
    if ((await page.locator(".alarm[open]").count()) !== 1) found.push("proof: a key closed it");
    for (const status of ["taken", "unsupported", "gone", "erased"]) {
      await fake(page, { do: "status", status, missing: "OPFS" });
      await page.locator(".full h1").waitFor();
      found.push(...(await look(page, way, status, 50)));
    }
    await done(page);

    const starts = [
      ["words-card", "few&words", ".remind"],
      ["empty", "empty", ".empty"],
      ["loading", "loading", "main"],
      ["welcome", "new", "#handle"],
    ];
    for (const [name, query, seen] of starts) {
      const page = await open(world, { ...options, query: `${query}&${options.query ?? ""}` });
      await page.locator(seen).first().waitFor();
      found.push(...(await look(page, way, name, 100)));
      if (name === "welcome") {
        await page.locator("#handle").fill("mira");
        await page.locator(".chip").first().waitFor();
        found.push(...(await look(page, way, "handle-taken")));
        const links = page.locator(".links .button");
        await links.last().click();
        found.push(...(await look(page, way, "about-server")));
        await page.locator(".inner > .button").click();
        await links.first().click();
        found.push(...(await look(page, way, "have-account")));
        await page.locator(".inner > .button").first().click();
        await page.locator(".letters").waitFor();
        found.push(...(await look(page, way, "link-letters")));
        await fake(page, { do: "event", event: { device: { what: { linking: { state: { code_wanted: { tries_left: 3 } } } } } } });
        await page.locator("#link-code").waitFor();
        found.push(...(await look(page, way, "link-code")));
        await page.locator(".inner > .button").click();
        await page.locator(".inner > .button").nth(1).click();
        await page.locator("#recover-words").waitFor();
        found.push(...(await look(page, way, "recover")));
        await page.locator(".inner > .button").click();
        await page.locator(".inner > .button").last().click();
        await fake(page, { do: "connection", state: "offline" });
        await page.locator(".full .icon.big").waitFor();
        found.push(...(await look(page, way, "unreachable")));
      }
      await done(page);
    }
    assert.deepEqual(found, []);
  });
}

for (const [way, options] of LINES) {
  test(`screens as lines: ${way}`, async () => {
    const found = [];
    const page = await open(world, { ...options, query: `few&look=lines&${options.query ?? ""}`, route: "/c/1" });
    await settled(page);
    found.push(...(await look(page, way, "lines-chat")));
    for (const [name, hash] of [["lines-group", "#/c/3"], ["lines-not-sent", "#/c/6"]]) {
      await go(page, hash);
      await settled(page);
      found.push(...(await look(page, way, name)));
    }
    await done(page);
    assert.deepEqual(found, []);
  });
}
