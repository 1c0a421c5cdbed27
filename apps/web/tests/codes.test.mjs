// SPDX-License-Identifier: AGPL-3.0-or-later
// QR codes read back from the picture, the camera where the browser can read one, digits compared in person, and the card
// that asks to save the words: over the fake engine.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";

import { axe, done, fake, frames, open, shot, start } from "./lib/browser.mjs";

const jsQR = createRequire(import.meta.url)("jsqr");
let world;
before(async () => (world = await start()));
after(() => world?.close());

const DAY = 24 * 3_600_000;
const SIXTY = "0417293856".repeat(6);
const go = (page, hash) => page.evaluate((hash) => (location.hash = hash), hash);

/** What a camera would read off the code on the screen: its picture, pixel for pixel, given to another reader. */
async function readCode(page) {
  const picture = (await page.locator(".qr").screenshot()).toString("base64");
  const { data, width, height } = await page.evaluate(async (picture) => {
    const bytes = Uint8Array.from(atob(picture), (c) => c.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext("2d");
    context.drawImage(bitmap, 0, 0);
    const image = context.getImageData(0, 0, bitmap.width, bitmap.height);
    return { data: Array.from(image.data), width: bitmap.width, height: bitmap.height };
  }, picture);
  return jsQR(Uint8ClampedArray.from(data), width, height)?.data ?? null;
}

/** A browser that reads codes, and a camera before which somebody holds this one. */
const camera = (text) => async (page) => {
  await page.addInitScript((text) => {
    globalThis.BarcodeDetector = class {
      async detect(video) {
        return video.readyState > 1 ? [{ rawValue: text }] : [];
      }
    };
    globalThis.cameras = 0;
    navigator.mediaDevices.getUserMedia = async () => {
      globalThis.cameras += 1;
      const canvas = document.createElement("canvas");
      canvas.getContext("2d").fillRect(0, 0, 100, 100);
      const stream = canvas.captureStream(10);
      stream.getTracks()[0].addEventListener("ended", () => {});
      const stop = stream.getTracks()[0].stop.bind(stream.getTracks()[0]);
      stream.getTracks()[0].stop = () => ((globalThis.cameras -= 1), stop());
      return stream;
    };
  }, text);
};

for (const [name, options] of [["light", {}], ["dark, Arabic, 390", { scheme: "dark", query: "lang=ar", size: [390, 844] }]]) {
  test(`the code of a link holds a sentence and the letters (${name})`, async () => {
    const page = await open(world, { ...options, query: `new&${options.query ?? ""}` });
    await page.locator(".links .button").first().click();
    await page.locator(".inner > .button").first().click();
    await page.locator(".qr").waitFor();
    const lines = (await readCode(page)).split("\n");
    assert.equal(lines.length, 2);
    // For those who use the camera app: a sentence, and nothing that opens by itself.
    assert.match(lines[0], /Nodoor/);
    assert.doesNotMatch(lines[0], /:\/\//);
    assert.equal(lines[1], (await page.locator(".letters").innerText()).trim());
    await done(page);
  });
}

test("the code of one's own link is that link", async () => {
  const page = await open(world, { query: "few" });
  await go(page, "#/settings/profile");
  await page.locator(".qr").waitFor();
  assert.equal(await readCode(page), (await page.locator(".main .card .code").innerText()).trim());
  await done(page);
});

test("without a reader of codes there is no button for the camera", async () => {
  const page = await open(world, { query: "few" });
  await go(page, "#/settings/devices");
  await page.getByRole("button", { name: "Link a device" }).click();
  await page.locator("#link-letters").waitFor();
  assert.equal(await page.getByRole("button", { name: "Scan with the camera" }).count(), 0);
  await done(page);
});

test("a code that the camera reads links as its letters would, and the camera goes off", async () => {
  const text = "Open Nodoor.\nABCD-EFGH-IJKL-MNOP-QRST-UVWX";
  const page = await open(world, { query: "few", before: camera(text) });
  await go(page, "#/settings/devices");
  await page.getByRole("button", { name: "Link a device" }).click();
  await page.getByRole("button", { name: "Scan with the camera" }).click();
  await page.locator("dialog .digits").waitFor();
  const asked = (await fake(page, { do: "asked" })).map((one) => one.device?.of?.link_approve?.link).filter(Boolean);
  assert.deepEqual(asked, [text]);
  await page.waitForFunction(() => globalThis.cameras === 0);
  await done(page);
});

/** A picture with this code in it, as PNG in base64: drawn by the page itself, with a border as a screenshot has. */
async function picture(page, selector = ".qr") {
  return (await page.locator(selector).screenshot()).toString("base64");
}

/** Gives the page a picture as a paste or a drop does. */
const give = (page, kind, base64) =>
  page.evaluate(([kind, base64]) => {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const files = new DataTransfer();
    files.items.add(new File([bytes], "code.png", { type: "image/png" }));
    const [type, key] = kind === "paste" ? [ClipboardEvent, "clipboardData"] : [DragEvent, "dataTransfer"];
    const event = new type(kind, { bubbles: true, cancelable: true, [key]: files });
    (document.activeElement ?? document.body).dispatchEvent(event);
    return event.defaultPrevented;
  }, [kind, base64]);

const linked = async (page) =>
  (await fake(page, { do: "asked" })).map((one) => one.device?.of?.link_approve?.link).filter(Boolean);

for (const way of ["paste", "drop", "choose"]) {
  test(`a picture of the code links as its letters would (${way})`, async () => {
    const page = await open(world, { query: "new" });
    await page.locator(".links .button").first().click();
    await page.locator(".inner > .button").first().click();
    await page.locator(".qr").waitFor();
    const letters = (await page.locator(".letters").innerText()).trim();
    const code = await picture(page);
    await done(page);
    const other = await open(world, { query: "few" });
    const loaded = [];
    other.on("request", (request) => loaded.push(new URL(request.url()).pathname));
    await go(other, "#/settings/devices");
    await other.getByRole("button", { name: "Link a device" }).click();
    await other.locator("#link-letters").waitFor();
    await frames(other, 3);
    // Whoever types loads nothing for it.
    assert.ok(!loaded.some((path) => path.startsWith("/reader")), loaded.join());
    if (way === "choose") {
      const chosen = other.waitForEvent("filechooser");
      await other.getByRole("button", { name: "Choose a picture" }).click();
      await (await chosen).setFiles({ name: "code.png", mimeType: "image/png", buffer: Buffer.from(code, "base64") });
    } else {
      assert.equal(await give(other, way, code), true);
    }
    await other.locator("dialog .digits").waitFor();
    assert.equal((await linked(other))[0].split("\n").at(-1), letters);
    assert.ok(loaded.includes("/reader_bg.wasm"));
    await done(other);
  });
}

test("a picture without a code says so, and the letters still link", async () => {
  const page = await open(world, { query: "few" });
  await go(page, "#/settings/devices");
  await page.getByRole("button", { name: "Link a device" }).click();
  await page.locator("#link-letters").waitFor();
  await give(page, "paste", await picture(page, "dialog h2"));
  await page.getByText("No code could be read off that picture").waitFor();
  assert.deepEqual(await linked(page), []);
  assert.deepEqual(await axe(page), []);
  // A text that is pasted is the field's.
  await page.locator("#link-letters").fill("ABCD-EFGH-IJKL-MNOP-QRST-UVWX");
  await page.keyboard.press("Enter");
  await page.locator("dialog .digits").waitFor();
  await done(page);
});

test("closing the dialog closes the camera", async () => {
  const page = await open(world, { query: "few", before: camera("") });
  await page.addInitScript(() => (globalThis.BarcodeDetector.prototype.detect = async () => []));
  await page.reload();
  await go(page, "#/settings/devices");
  await page.getByRole("button", { name: "Link a device" }).click();
  await page.getByRole("button", { name: "Scan with the camera" }).click();
  await page.waitForFunction(() => globalThis.cameras === 1);
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => globalThis.cameras === 0);
  await done(page);
});

test("two screens show the same sixty digits as text and as code, and the day is kept", async () => {
  const page = await open(world, { query: "few" });
  await go(page, "#/c/1/info");
  assert.equal(await page.getByText(/^Compared/).count(), 0);
  await page.getByRole("button", { name: "Compare in person" }).click();
  await page.locator("dialog .sixty").waitFor();
  assert.equal((await page.locator("dialog .sixty").innerText()).replace(/\D/g, ""), SIXTY);
  assert.equal((await readCode(page)).split("\n").at(-1), SIXTY);
  await page.getByRole("button", { name: "They are the same" }).click();
  await page.locator(".sheet").getByText(/^Compared \D*\d/).waitFor();
  // Nothing else changes: no colour, no other word.
  assert.equal(await page.locator(".sheet .checked .icon").count(), 1);
  await done(page);
});

for (const [text, same] of [[`Open Nodoor.\n${SIXTY}`, true], [`Open Nodoor.\n${"1".repeat(60)}`, false], ["https://example.org", false]]) {
  test(`a code of the other screen is compared: ${same ? "the same" : text.slice(-12)}`, async () => {
    const page = await open(world, { query: "few", before: camera(text) });
    await go(page, "#/c/1/info");
    await page.getByRole("button", { name: "Compare in person" }).click();
    await page.locator("dialog .sixty").waitFor();
    await page.getByRole("button", { name: "Scan with the camera" }).click();
    if (same) {
      await page.locator(".sheet").getByText(/^Compared \D*\d/).waitFor();
    } else {
      await page.getByText("That code says something else.").waitFor();
      const asked = await fake(page, { do: "asked" });
      assert.equal(asked.filter((one) => one.compared).length, 0);
    }
    await done(page);
  });
}

test("the words are asked for after the first delivered message, put off twice, and then a dot is all", async () => {
  const page = await open(world, { query: "few&words" });
  const card = page.locator(".remind");
  const days = async (count) => {
    await page.evaluate((by) => {
      const now = Date.now;
      Date.now = () => now() + by;
      window.dispatchEvent(new Event("focus"));
    }, count * DAY);
    await frames(page, 3);
  };
  await card.getByText(/24 words bring back .*@mira_k/).waitFor();
  await card.getByRole("button", { name: "Later" }).click();
  await card.waitFor({ state: "detached" });
  await days(2.9);
  assert.equal(await card.count(), 0);
  await days(0.2);
  await card.getByRole("button", { name: "Later" }).click();
  await days(6.9);
  assert.equal(await card.count(), 0);
  assert.equal(await page.locator(".side .dot").count(), 0);
  await days(0.2);
  await page.getByRole("button", { name: "Settings: your recovery words are not saved yet" }).click();
  assert.equal(await card.count(), 0);
  await page.getByText("not saved yet").click();
  await page.getByRole("button", { name: "Show the words" }).waitFor();
  await done(page);
});

test("nothing is asked before a message was delivered, and the card opens the words themselves", async () => {
  const page = await open(world, { query: "empty&words" });
  await page.locator(".side .empty").waitFor();
  assert.equal(await page.locator(".remind").count(), 0);
  await done(page);
  const other = await open(world, { query: "few&words" });
  await other.locator(".remind").getByRole("button", { name: "Show the words" }).click();
  const words = await other.locator(".words li").allInnerTexts();
  assert.equal(words.length, 24);
  await other.getByRole("button", { name: "I wrote them down" }).click();
  for (const [n, label] of (await other.locator(".field label").allInnerTexts()).entries()) {
    await other.locator(`#word-${n}`).fill(words[Number(label.match(/\d+/)[0]) - 1].trim());
  }
  await other.getByRole("button", { name: "Check" }).click();
  await other.getByText("Saved. The words are no longer").waitFor();
  assert.equal(await other.locator(".remind").count(), 0);
  // The old ones make new ones, which are shown like the first; others do not.
  await other.getByRole("button", { name: "Make new words" }).click();
  await other.locator("#old-words").fill("not the words");
  await other.getByRole("button", { name: "Make new words" }).click();
  await other.getByText("Those are not the recovery words.").waitFor();
  await shot(other, "words-new-light-1280");
  assert.deepEqual(await axe(other), []);
  await other.locator("#old-words").fill(words.join(" "));
  await other.getByRole("button", { name: "Make new words" }).click();
  await other.locator(".words li").first().waitFor();
  await done(other);
});

test("history goes at once with the words, and not with others", async () => {
  const page = await open(world, { query: "few" });
  await go(page, "#/settings/devices");
  await page.getByRole("button", { name: "Link a device" }).click();
  await page.locator("#link-letters").waitFor();
  const device = { device: "d3".repeat(16), name: "Chromium on Linux", added_at: 0, current: false };
  await fake(page, { do: "event", event: { device: { what: { linking: { state: { linked: { device } } } } } } });
  // The day that it waits else is one of the log.
  await page.getByText("with your 24 words alone").waitFor();
  await fake(page, { do: "event", event: { ledger: { state: log() } } });
  await page.getByText("goes to it after 24 hours").waitFor();
  await page.locator("#history-words").fill("not the words");
  await page.getByRole("button", { name: "Send now" }).click();
  await page.getByText("Those are not the recovery words.").waitFor();
  await page.locator("#history-words").fill("word ".repeat(24));
  await page.getByRole("button", { name: "Send now" }).click();
  await page.getByText("History is on its way.").waitFor();
  await done(page);
});

/** The public log as the engine tells of it, which three watch. */
const log = (more = {}) => ({
  freshness: "fresh", log_time: Date.now(), size: 900, unwitnessed: false, awaited: 0, proof: null,
  witnesses: ["first", "second", "third"], change: null, ...more,
});

test("who watches the public log is said, and before others do", async () => {
  const page = await open(world, { query: "few" });
  await page.locator(".side .rows").waitFor();
  await fake(page, { do: "event", event: { ledger: { state: log() } } });
  await go(page, "#/settings/about");
  await page.getByText(/Watched by .*first, second, third/).waitFor();
  assert.equal(await page.locator(".strip").count(), 0);
  const change = { due: Date.now() + 6 * DAY, done: false, witnesses: ["first", "second", "fourth"] };
  await fake(page, { do: "event", event: { ledger: { state: log({ change }) } } });
  await page.locator(".strip").getByText(/Others will watch this server's public log from .*\d/).waitFor();
  await page.locator(".item", { hasText: "Who watches it" }).getByText(/^From .*: .*first, second, fourth/).waitFor();
  await shot(page, "log-watched-light-1280");
  assert.deepEqual(await axe(page), []);
  await fake(page, { do: "event", event: { ledger: { state: log({ change: { ...change, done: true } }) } } });
  await page.locator(".item", { hasText: "Who watches it" }).getByText(/^Since /).waitFor();
  assert.equal(await page.locator(".strip").count(), 0);
  await done(page);
});

test("the handle of a lost account is asked for, and the day is shown on which it comes", async () => {
  const page = await open(world, { query: "few" });
  await go(page, "#/settings/profile");
  const part = page.locator("details", { hasText: "The handle of an account you lost" });
  await part.locator("summary").click();
  await page.getByLabel("Handle of the lost account").fill("@nobody");
  await page.getByRole("button", { name: "Ask for it" }).click();
  await part.locator(".failed").waitFor();
  await page.getByLabel("Handle of the lost account").fill("@Old.Mira");
  assert.equal(await part.locator(".failed").count(), 0);
  await page.getByRole("button", { name: "Ask for it" }).click();
  await part.getByText(/@old\.mira.* is asked for\. It moves here after \S/).waitFor();
  await shot(page, "handle-lost-light-1280");
  assert.deepEqual(await axe(page), []);
  // Also for who comes back to the page.
  await go(page, "#/settings/about");
  await go(page, "#/settings/profile");
  await part.locator("summary").click();
  await part.getByText(/is asked for/).waitFor();
  await fake(page, { do: "event", event: { device: { what: { handle_refused: { handle: "old.mira" } } } } });
  await page.getByText(/Whoever has .*old\.mira.* keeps it\./).waitFor();
  await fake(page, { do: "event", event: { device: { what: { handle_asked: { handle: "mira_k" } } } } });
  await page.getByText(/Somebody else asked for .*mira_k.*it stays yours/).waitFor();
  await done(page);
});

test("what waits for the keys of a device has an hourglass, and what waits for a connection a clock", async () => {
  const page = await open(world, { query: "few", route: "/c/1" });
  await page.locator(".messages [data-id]").first().waitFor();
  await fake(page, { do: "connection", state: "offline" });
  await page.locator(".composer textarea").fill("The first word");
  await page.keyboard.press("Enter");
  const mark = page.locator(".message", { hasText: "The first word" }).locator("[data-state=waiting]");
  await mark.locator("use[href='#i-clock']").waitFor({ state: "attached" });
  const row = await fake(page, { do: "chat", chat: 1 });
  await fake(page, { do: "event", event: { conversation: { row: { ...row, held: true } } } });
  await mark.locator("use[href='#i-hourglass']").waitFor({ state: "attached" });
  assert.equal(await mark.getAttribute("title"), "Waiting for the key check of a new device");
  await page.locator(".side .row[href='#/c/1'] use[href='#i-hourglass']").waitFor({ state: "attached" });
  await shot(page, "held-light-1280");
  assert.deepEqual(await axe(page), []);
  await done(page);
});

test("a row says what the last line of the app says", async () => {
  const page = await open(world, { query: "few" });
  await page.locator(".side .rows").waitFor();
  const row = await fake(page, { do: "chat", chat: 1 });
  const line = { from: "system", content: { system: { device_added: { who: row.person } } }, state: null, at: Date.now() };
  await fake(page, { do: "event", event: { conversation: { row: { ...row, last: line } } } });
  await page.locator(".side .row .preview", { hasText: "added a device. It was approved" }).waitFor();
  await done(page);
});
