// SPDX-License-Identifier: AGPL-3.0-or-later
// Keys checked against the log, a second browser linked, the words asked back and used: over a real server.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { axe, shot } from "./lib/browser.mjs";
import { find, house, missing, register, visit, write } from "./lib/real.mjs";

const skip = missing ? `${missing} is not there` : false;
let home;
before(async () => {
  if (!skip) home = await house();
});
after(() => home?.close());

const go = (page, hash) => page.evaluate((hash) => (location.hash = hash), hash);
let alicePage;
let bobPage;
let words;

test("a contact's sheet says that the keys are in a log that nobody outside watches", { skip, timeout: 240_000 }, async () => {
  alicePage = await visit(await home.person("alice"), home.url);
  bobPage = await visit(await home.person("bob"), home.url);
  await register(alicePage, "alice");
  await register(bobPage, "bob");
  await find(alicePage, "@bob");
  await write(alicePage, "Hello Bob");
  await bobPage.locator(".row.requests").click();
  await bobPage.getByRole("button", { name: "Accept" }).click();
  await bobPage.locator(".message.in", { hasText: "Hello Bob" }).waitFor();
  await alicePage.locator(".main .head .title").click();
  const line = alicePage.locator(".sheet .checked");
  await line.waitFor();
  // Told by the engine, and only once it was so.
  await alicePage.locator(".sheet").getByText("Unwitnessed server").waitFor({ timeout: 120_000 });
  await alicePage.locator(".sheet").getByText(/Keys checked .*\d/).waitFor();
  await alicePage.locator(".sheet summary").click();
  await alicePage.getByText("Nobody outside watches that log yet").waitFor();
  await shot(alicePage, "real-check");
  assert.deepEqual(await axe(alicePage), []);
});

test("both sheets show the same sixty digits, until one of the two has another device", { skip, timeout: 90_000 }, async () => {
  await bobPage.locator(".main .head .title").click();
  const digits = async (page) => {
    await page.locator(".sheet").getByRole("button", { name: /^Compare in person/ }).click();
    await page.locator("dialog .sixty").waitFor();
    return (await page.locator("dialog .sixty").innerText()).replace(/\D/g, "");
  };
  const shown = await digits(alicePage);
  assert.equal(shown.length, 60);
  assert.equal(await digits(bobPage), shown);
  await shot(alicePage, "real-compare");
  assert.deepEqual(await axe(alicePage), []);
  await alicePage.getByRole("button", { name: "They are the same" }).click();
  await alicePage.locator(".sheet").getByText(/^Compared \D*\d/).waitFor();
  await bobPage.keyboard.press("Escape");
  await bobPage.locator("dialog").waitFor({ state: "detached" });
});

test("a second browser is linked by letters and digits, has the history with the words, and a wrong digit links nothing", { skip, timeout: 400_000 }, async () => {
  const second = await visit(await home.person("alice-2"), home.url);
  await second.getByRole("button", { name: "I have an account" }).click();
  await second.getByRole("button", { name: "Link this device" }).click();
  const letters = (await second.locator(".letters").innerText()).trim();
  assert.match(letters, /^([A-Z2-7]{4}-){5}[A-Z2-7]{4}$/);
  await shot(second, "real-link-letters");
  assert.deepEqual(await axe(second), []);
  await go(alicePage, "#/settings/words");
  await alicePage.getByRole("button", { name: "Show the words" }).click();
  await alicePage.locator(".words li").nth(23).waitFor();
  words = await alicePage.locator(".words li").allInnerTexts();
  await go(alicePage, "#/settings");
  await go(alicePage, "#/settings/devices");
  await alicePage.getByRole("button", { name: "Link a device" }).click();
  await alicePage.locator("#link-letters").fill(letters);
  await alicePage.getByRole("button", { name: "Go on" }).click();
  await alicePage.locator("dialog .digits").waitFor({ timeout: 30_000 });
  const digits = (await alicePage.locator("dialog .digits").innerText()).replace(/\D/g, "");
  assert.equal(digits.length, 6);
  await shot(alicePage, "real-link-digits");
  await second.locator("#link-code").waitFor({ timeout: 30_000 });
  await second.locator("#link-code").fill(digits === "000000" ? "000001" : "000000");
  await second.getByRole("button", { name: "Go on" }).click();
  await second.getByText("Those are not the digits").waitFor();
  await second.locator("#link-code").fill(digits);
  await second.getByRole("button", { name: "Go on" }).click();
  await second.locator(".side .head").waitFor({ timeout: 240_000 });
  await alicePage.getByText(/is linked\.$/).waitFor({ timeout: 60_000 });
  // What was said before comes at once with the words.
  await alicePage.locator("#history-words").fill(words.join(" "));
  await shot(alicePage, "real-link-history");
  assert.deepEqual(await axe(alicePage), []);
  await alicePage.getByRole("button", { name: "Send now" }).click();
  await alicePage.getByText("History is on its way.").waitFor();
  await second.locator(".side .row", { hasText: "@bob" }).click({ timeout: 120_000 });
  await second.getByText("Hello Bob").first().waitFor({ timeout: 120_000 });
  await alicePage.locator(".main .list .item").nth(1).waitFor();
  await shot(alicePage, "real-devices");
  assert.deepEqual(await axe(alicePage), []);
  // Contacts are told by a neutral line.
  await bobPage.getByText(/added a device\. It was approved by a device/).first().waitFor({ timeout: 120_000 });
});

test("a device is renamed and removed", { skip, timeout: 180_000 }, async () => {
  const item = alicePage.locator(".main .list .item").nth(1);
  await item.getByRole("button", { name: /^Rename/ }).click();
  await alicePage.locator("#device-name").fill("Old laptop");
  await alicePage.getByRole("button", { name: "Save" }).click();
  await alicePage.locator(".main .list .item", { hasText: "Old laptop" }).getByRole("button", { name: /^Remove/ }).click();
  await alicePage.getByRole("button", { name: "Remove device" }).click();
  await alicePage.locator(".main .list .item", { hasText: "Old laptop" }).waitFor({ state: "detached", timeout: 120_000 });
  await alicePage.locator("dialog").waitFor({ state: "detached", timeout: 60_000 });
});

test("three words are asked back, and then they are no longer here", { skip, timeout: 90_000 }, async () => {
  await go(alicePage, "#/settings/words");
  await alicePage.getByRole("button", { name: "Show the words" }).click();
  await alicePage.locator(".words li").nth(23).waitFor();
  words = await alicePage.locator(".words li").allInnerTexts();
  assert.equal(words.length, 24);
  await alicePage.getByRole("button", { name: "I wrote them down" }).click();
  const answer = async (right) => {
    const places = await alicePage.locator(".field label").allInnerTexts();
    for (const [n, label] of places.entries()) {
      const place = Number(label.match(/\d+/)[0]);
      await alicePage.locator(`#word-${n}`).fill(right ? words[place - 1].trim() : "wrong");
    }
    await alicePage.getByRole("button", { name: "Check" }).click();
  };
  await answer(false);
  await alicePage.getByText("Those are not the recovery words.").waitFor();
  await alicePage.waitForFunction(() => document.querySelector("#word-0")?.value === "");
  await answer(true);
  await alicePage.getByText("Saved. The words are no longer on this device.").waitFor();
  await shot(alicePage, "real-words-saved");
  await go(alicePage, "#/settings");
  await go(alicePage, "#/settings/words");
  await alicePage.getByRole("button", { name: "Show the words" }).click();
  await alicePage.getByText("The words are not on this device").waitFor();
});

test("the words bring the account back in another browser", { skip, timeout: 180_000 }, async () => {
  await alicePage.context().close();
  const third = await visit(await home.person("alice-3"), home.url);
  await third.getByRole("button", { name: "I have an account" }).click();
  await third.getByRole("button", { name: "Use recovery words" }).click();
  await third.locator("#recover-handle").fill("alice");
  await third.locator("#recover-words").fill([...words].reverse().join(" "));
  await third.getByRole("button", { name: "Bring the account back" }).click();
  await third.locator(".failed").waitFor();
  await third.locator("#recover-words").fill(words.join(" "));
  await shot(third, "real-recover");
  assert.deepEqual(await axe(third), []);
  await third.getByRole("button", { name: "Bring the account back" }).click();
  await third.locator(".side .head").waitFor({ timeout: 120_000 });
  await go(third, "#/settings/profile");
  await third.getByText("@alice").first().waitFor();
  assert.deepEqual(third.faults, []);
  assert.deepEqual(bobPage.faults, []);
});
