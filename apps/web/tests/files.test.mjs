// SPDX-License-Identifier: AGPL-3.0-or-later
// Files between two profiles of Chromium through one real server process: sent, saved, looked at, and what lies about itself.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { axe, shot } from "./lib/browser.mjs";
import { find, house, missing, register, visit, write } from "./lib/real.mjs";

const skip = missing ? `${missing} is not there` : false;
let home, alice, bob;
before(async () => {
  if (skip) return;
  home = await house();
  [alice, bob] = await Promise.all(["alice", "bob"].map(async (name) => visit(await home.person(name), home.url)));
  await Promise.all([register(alice, "alice"), register(bob, "bob")]);
  await find(alice, "@bob");
  await write(alice, "Hello");
  await bob.locator(".row.requests").click();
  await bob.getByRole("button", { name: "Accept" }).click();
  await bob.locator(".message.in", { hasText: "Hello" }).waitFor();
});
after(() => home?.close());

const sha = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** Chooses files, and sends them with a text. */
async function send(page, files, caption = "") {
  await page.locator(".composer input[type=file]").setInputFiles(files);
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Text under it").fill(caption);
  await dialog.getByRole("button", { name: "Send" }).click();
  await dialog.waitFor({ state: "detached" });
}

const file = (page, name) => page.locator(".message .file", { hasText: name });

/** Saves a file, and gives its bytes. */
async function save(page, name) {
  const [download] = await Promise.all([
    page.waitForEvent("download", { timeout: 60_000 }),
    file(page, name).getByRole("button", { name: /^Save/ }).click(),
  ]);
  assert.equal(download.suggestedFilename(), name);
  return readFile(await download.path());
}

test("a file goes from one browser to the other, whole, with its text", { skip, timeout: 180_000 }, async () => {
  const bytes = randomBytes(9_000_000);
  await alice.locator(".composer input[type=file]").setInputFiles({ name: "plan.bin", mimeType: "application/octet-stream", buffer: bytes });
  await alice.getByRole("dialog", { name: "Send 1 file" }).waitFor();
  assert.deepEqual(await axe(alice), []);
  await shot(alice, "real-file-send");
  await alice.keyboard.press("Escape");
  await send(alice, { name: "plan.bin", mimeType: "application/octet-stream", buffer: bytes }, "Read it, and <b>say</b> so");
  await alice.locator(".message.out", { hasText: "plan.bin" }).locator(":is([data-state=sent], [data-state=delivered], [data-state=read])").waitFor({ timeout: 60_000 });
  await file(bob, "plan.bin").waitFor();
  await bob.locator(".message.in", { hasText: "<b>say</b>" }).waitFor();
  await shot(bob, "real-file-came");
  assert.deepEqual(await axe(bob), []);
  assert.equal(sha(await save(bob, "plan.bin")), sha(bytes));
  // And again, from this disk: the server need not be there.
  assert.equal(sha(await save(bob, "plan.bin")), sha(bytes));
});

test("a picture is looked at, and loses where it was taken", { skip, timeout: 120_000 }, async () => {
  const png = await alice.evaluate(async () => {
    const canvas = new OffscreenCanvas(320, 200);
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#0a7d6c";
    pen.fillRect(0, 0, 320, 200);
    const bytes = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
    return [...bytes];
  });
  // A comment of the camera's, before the end.
  const comment = Buffer.from("000000127445587450006c616365004f736c6f20353920310000000000", "hex").subarray(0, 4 + 4 + 18);
  const body = Buffer.from(png);
  const marked = Buffer.concat([body.subarray(0, 33), comment, Buffer.alloc(4), body.subarray(33)]);
  await send(alice, { name: "hut.png", mimeType: "image/png", buffer: marked });
  const shown = file(bob, "hut.png");
  await shown.getByRole("button", { name: /^Look at/ }).click();
  const picture = bob.getByRole("dialog").locator(".viewer img");
  await picture.waitFor();
  await bob.waitForFunction(() => document.querySelector(".viewer img")?.naturalWidth === 320);
  assert.deepEqual(await axe(bob), []);
  await shot(bob, "real-picture");
  await bob.keyboard.press("Escape");
  await picture.waitFor({ state: "detached" });
  assert.doesNotMatch((await save(bob, "hut.png")).toString("latin1"), /Oslo/);
});

test("what only calls itself a picture is not drawn, and nothing of it runs", { skip, timeout: 120_000 }, async () => {
  const page = Buffer.from("<html><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">");
  await send(alice, { name: "cat.png", mimeType: "image/png", buffer: page });
  await file(bob, "cat.png").waitFor();
  const look = file(bob, "cat.png").getByRole("button", { name: /^Look at/ });
  assert.equal(await look.count(), 0, "it is a plain file to whoever reads it");
  assert.equal(sha(await save(bob, "cat.png")), sha(page));
  assert.doesNotMatch(await bob.title(), /owned/);
  assert.deepEqual(bob.faults, []);
});

test("files are pasted and dropped, and a reload once a file is sealed loses nothing", { skip, timeout: 180_000 }, async () => {
  await alice.locator(".composer textarea").evaluate((area) => {
    const data = new DataTransfer();
    data.items.add(new File(["pasted"], "note.txt", { type: "text/plain" }));
    area.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
  });
  await alice.getByRole("dialog", { name: "Send 1 file" }).getByRole("button", { name: "Send" }).click();
  await file(alice, "note.txt").waitFor();
  await alice.locator(".conversation").evaluate((chat) => {
    const data = new DataTransfer();
    data.items.add(new File(["one"], "one.txt"));
    data.items.add(new File(["two"], "two.txt"));
    window.dragged = data;
    chat.dispatchEvent(new DragEvent("dragenter", { dataTransfer: data, bubbles: true, cancelable: true }));
  });
  await alice.getByText("Drop to send here").waitFor();
  await shot(alice, "real-file-drop");
  await alice.locator(".drop-here").evaluate((target) => target.dispatchEvent(new DragEvent("drop", { dataTransfer: window.dragged, bubbles: true, cancelable: true })));
  await alice.getByRole("dialog", { name: "Send 2 files" }).getByRole("button", { name: "Send" }).click();
  for (const name of ["note.txt", "one.txt", "two.txt"]) await file(bob, name).waitFor({ timeout: 30_000 });
  assert.equal((await save(bob, "two.txt")).toString(), "two");

  const bytes = randomBytes(40_000_000);
  await send(alice, { name: "film.bin", mimeType: "application/octet-stream", buffer: bytes });
  // Sealed: from here on the disk has it.
  await file(alice, "film.bin").waitFor();
  await file(alice, "film.bin").getByText("Being encrypted").waitFor({ state: "detached", timeout: 60_000 });
  await alice.reload();
  await file(bob, "film.bin").waitFor({ timeout: 90_000 });
  assert.equal(sha(await save(bob, "film.bin")), sha(bytes));
});
