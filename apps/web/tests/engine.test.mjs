// SPDX-License-Identifier: AGPL-3.0-or-later
// The engine alone, in a real worker of a real browser, without a server behind it: it opens its encrypted
// store, keeps what it answered, gives way to another tab, and says when its key is gone.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

const web = process.env.NODOOR_WEB ?? new URL("../../../target/web", import.meta.url).pathname;
const kinds = { ".js": "text/javascript", ".wasm": "application/wasm", ".html": "text/html" };

let server, origin, profile, browser;

before(async () => {
  server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url, "http://x").pathname);
    response.setHeader("content-type", kinds[extname(path)] ?? "text/html");
    // As strict as the real server's.
    const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'";
    response.setHeader("content-security-policy", policy);
    if (path === "/") return response.end("<!doctype html><title>blank</title>");
    try {
      response.end(await readFile(join(web, path)));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${server.address().port}/`;
  profile = await mkdtemp(join(tmpdir(), "nodoor-engine-"));
  browser = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox"],
  });
});

after(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
  if (profile) await rm(profile, { recursive: true, force: true });
});

/** A tab with an engine of its own. */
async function tab() {
  const page = await browser.newPage();
  await page.goto(origin);
  await page.evaluate(() => {
    const worker = new Worker("/engine-worker.js", { type: "module" });
    const heard = [];
    const waiting = [];
    worker.onerror = (event) => heard.push({ error: event.message ?? "" });
    worker.onmessage = ({ data }) => {
      heard.push(JSON.parse(data));
      waiting.forEach((look) => look());
    };
    globalThis.post = (message) => worker.postMessage(JSON.stringify(message));
    globalThis.hear = (fits) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`heard only ${JSON.stringify(heard)}`)), 15_000);
        const look = () => {
          const at = heard.findIndex(fits);
          if (at < 0) return;
          clearTimeout(late);
          waiting.splice(waiting.indexOf(look), 1);
          resolve(heard.splice(at, 1)[0]);
        };
        waiting.push(look);
        look();
      });
    let asks = 0;
    globalThis.ask = (command) => {
      const ask = ++asks;
      post({ ask, command });
      return hear((message) => message.ask === ask).then((told) => told.reply);
    };
  });
  return page;
}

const status = (page) => page.evaluate(() => hear((message) => message.engine).then((m) => m.engine));
const post = (page, message) => page.evaluate((message) => globalThis.post(message), message);
const ask = (page, command) => page.evaluate((command) => globalThis.ask(command), command);

test("a new engine opens its store and knows nobody", async () => {
  const page = await tab();
  assert.equal(await status(page), "ready");
  assert.deepEqual(await ask(page, "who_am_i"), "nothing");
  await page.close();
});

test("what was answered is there after the tab was closed", async () => {
  const first = await tab();
  assert.equal(await status(first), "ready");
  const { settings } = await ask(first, "settings");
  settings.text_percent = 175;
  assert.ok((await ask(first, { set_settings: { settings } })).settings);
  await first.close();
  const second = await tab();
  assert.equal(await status(second), "ready");
  assert.equal((await ask(second, "settings")).settings.text_percent, 175);
  await second.close();
});

test("the files of the store show neither a database nor what is in it", async () => {
  const page = await tab();
  assert.equal(await status(page), "ready");
  await ask(page, { set_draft: { conversation: 1, text: "NODOOR-NEEDLE" } });
  const { settings } = await ask(page, "settings");
  settings.language = "x-needle";
  await ask(page, { set_settings: { settings } });
  await page.close();
  const reader = await browser.newPage();
  await reader.goto(origin);
  const bytes = await reader.evaluate(async () => {
    const texts = [];
    const read = async (folder) => {
      for await (const entry of folder.values()) {
        if (entry.kind === "directory") await read(entry);
        else texts.push(new TextDecoder("latin1").decode(await (await entry.getFile()).arrayBuffer()));
      }
    };
    await read(await navigator.storage.getDirectory());
    return texts.join("");
  });
  assert.ok(bytes.length > 4096, "there is a store");
  for (const needle of ["SQLite format 3", "CREATE TABLE", "x-needle"]) {
    assert.ok(!bytes.includes(needle), needle);
  }
  await reader.close();
});

test("a second tab is told, and takes over when asked to", async () => {
  const first = await tab();
  assert.equal(await status(first), "ready");
  const second = await tab();
  assert.equal(await status(second), "taken");
  await post(second, { engine: "take" });
  assert.equal(await status(second), "ready");
  assert.equal(await status(first), "taken");
  assert.deepEqual(await ask(second, "who_am_i"), "nothing");
  // And back again, in the same worker.
  await post(first, { engine: "take" });
  assert.equal(await status(first), "ready");
  assert.equal(await status(second), "taken");
  assert.deepEqual(await ask(first, "who_am_i"), "nothing");
  await first.close();
  await second.close();
});

test("a store whose key is lost is gone, and the browser can start anew", async () => {
  const cleaner = await browser.newPage();
  await cleaner.goto(origin);
  await cleaner.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const request = indexedDB.deleteDatabase("nodoor");
        request.onsuccess = resolve;
        request.onerror = reject;
      }),
  );
  await cleaner.close();
  const page = await tab();
  assert.equal(await status(page), "gone");
  await post(page, { engine: "anew" });
  assert.equal(await status(page), "ready");
  assert.equal((await ask(page, "settings")).settings.text_percent, 100);
  await page.close();
});
