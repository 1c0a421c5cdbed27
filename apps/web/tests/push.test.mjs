// SPDX-License-Identifier: AGPL-3.0-or-later
// A call while the app is closed: what the service worker shows of it, and the switch in Settings.
import assert from "node:assert/strict";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { ROOT, axe, done, fake, launch, open, shot, start } from "./lib/browser.mjs";
import { serve } from "./lib/site.mjs";

/** The service worker alone, without an app, behind an address of its own. */
async function worker() {
  const folder = await mkdtemp(join(tmpdir(), "nodoor-push-"));
  await cp(join(ROOT, "apps/web/static/sw.js"), join(folder, "sw.js"));
  await writeFile(join(folder, "index.html"), "<!doctype html><html lang=en><title>Nodoor</title>");
  const [site, elsewhere] = [await serve(folder), await serve(folder)];
  const browser = await launch();
  const context = await browser.newContext();
  await context.grantPermissions(["notifications"], { origin: site.url });
  const page = await context.newPage();
  await page.goto(site.url);
  await page.evaluate(async () => {
    const policy = trustedTypes.createPolicy("nodoor", { createScriptURL: (name) => name });
    await navigator.serviceWorker.register(policy.createScriptURL("/sw.js"));
    await navigator.serviceWorker.ready;
  });
  // Of one context, whichever page asks.
  const tools = await context.newCDPSession(page);
  const known = new Promise((found) => {
    tools.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      const ours = registrations.find(({ scopeURL }) => scopeURL.startsWith(site.url));
      if (ours) found(ours.registrationId);
    });
  });
  await tools.send("ServiceWorker.enable");
  const registrationId = await known;
  return {
    page,
    deliver: (data) => tools.send("ServiceWorker.deliverPushMessage", { origin: site.url, registrationId, data }),
    leave: () => page.goto(elsewhere.url),
    back: () => page.goto(site.url),
    /** What is shown, once it is so many. */
    shown: (count) =>
      page.evaluate(async (count) => {
        const registration = await navigator.serviceWorker.ready;
        for (let tries = 0; ; tries += 1) {
          const all = await registration.getNotifications();
          if (all.length >= count || tries > 100) {
            return all.map(({ title, body, tag, lang, dir }) => ({ title, body, tag, lang, dir }));
          }
          await new Promise((done) => setTimeout(done, 50));
        }
      }, count),
    close: async () => {
      await browser.close();
      await Promise.all([site.close(), elsewhere.close()]);
      await rm(folder, { recursive: true });
    },
  };
}

test("a call shows one neutral notification, whatever it holds", { timeout: 60_000 }, async () => {
  const world = await worker();
  try {
    // In front of a person nothing is shown: the page says what there is.
    await world.deliver("\u0001");
    await new Promise((done) => setTimeout(done, 500));
    assert.deepEqual(await world.shown(0), []);

    await world.leave();
    await world.deliver("\u0001");
    await new Promise((done) => setTimeout(done, 1000));
    await world.back();
    // No page has left words yet: the name of the app, and nothing made up.
    assert.deepEqual((await world.shown(1)).map(({ title, tag }) => [title, tag]), [["Nodoor", "call"]]);

    await world.page.evaluate(async () => {
      const cache = await caches.open("words");
      const words = { title: "لديك رسائل جديدة", lang: "ar", dir: "rtl" };
      await cache.put("/words", new Response(JSON.stringify(words)));
    });
    await world.leave();
    // Whoever could forge a call could write nothing with it.
    await world.deliver(JSON.stringify({ title: "Your bank", body: "Call us", tag: "other" }));
    await world.deliver("");
    await new Promise((done) => setTimeout(done, 1000));
    await world.back();
    assert.deepEqual(await world.shown(1), [
      { title: "لديك رسائل جديدة", body: "", tag: "call", lang: "ar", dir: "rtl" },
    ]);
  } finally {
    await world.close();
  }
});

let looks;
before(async () => {
  looks = await start();
});
after(() => looks?.close());

/** The browser's half, as `start.js` gives it; Debian's Chromium has no push service behind it. */
const browserHalf = (page, works) =>
  page.evaluate((works) => {
    globalThis.calls = [];
    globalThis.nodoorPushWords = async (...words) => globalThis.calls.push(words);
    globalThis.nodoorNoPush = async () => globalThis.calls.push("off");
    globalThis.nodoorPush = async (key) => {
      globalThis.calls.push(key.length);
      if (!works) throw new Error("not allowed");
      return ["https://push.example/it", new Uint8Array(65).fill(4), new Uint8Array(16)];
    };
  }, works);

const asked = async (page) =>
  (await fake(page, { do: "asked" })).map((ask) => ask.push?.of).filter((of) => of && of !== "show");

test("the switch subscribes, tells the server, and takes it back", { timeout: 60_000 }, async () => {
  const page = await open(looks, { route: "/settings/notifications" });
  const box = page.getByRole("checkbox", { name: "Notify me when something comes" });
  await box.waitFor();
  await browserHalf(page, true);
  assert.equal(await box.isChecked(), false);
  await box.click();
  await page.waitForFunction(() => document.querySelector(".main input[type=checkbox]:checked:enabled"));
  assert.deepEqual(await page.evaluate(() => globalThis.calls), [["You have new messages", "en", "ltr"], 65]);
  const [set] = await asked(page);
  assert.equal(set.set.at.endpoint, "https://push.example/it");
  assert.deepEqual([set.set.at.key.length, set.set.at.auth.length], [65, 16]);
  assert.deepEqual(await axe(page), []);
  await box.click();
  await page.waitForFunction(() => document.querySelector(".main input[type=checkbox]:not(:checked):enabled"));
  assert.deepEqual((await asked(page)).slice(1), ["off"]);
  assert.equal((await page.evaluate(() => globalThis.calls)).at(-1), "off");

  // The browser would not: it says so, and the switch is off again.
  await browserHalf(page, false);
  await box.click();
  await page.getByText("That did not work.").waitFor();
  assert.equal(await box.isChecked(), false);
  assert.equal((await asked(page)).length, 2);
  await done(page);
});

for (const [name, options] of [
  ["light-1280", {}],
  ["dark-390", { size: [390, 844], scheme: "dark" }],
  ["ar-390", { size: [390, 844], query: "lang=ar" }],
]) {
  test(`the page of notifications, ${name}`, { timeout: 60_000 }, async () => {
    const page = await open(looks, { route: "/settings/notifications", ...options });
    await page.locator(".main input[type=checkbox]:enabled").waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert.equal(wide, false);
    await shot(page, `push-${name}`);
    await done(page);
  });
}
