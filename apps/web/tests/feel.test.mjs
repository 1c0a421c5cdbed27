// SPDX-License-Identifier: AGPL-3.0-or-later
// What makes it feel finished, in 22 points, one test each, over the fake engine: 500 chats, 10,000 messages.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { axe, done, fake, frames, open, settled, shot, start } from "./lib/browser.mjs";

let world;
before(async () => (world = await start()));
after(() => world?.close());

const composer = (page) => page.locator(".composer textarea");
const bubbles = (page) => page.locator(".messages .message");
const scroller = (page) => page.locator(".scroller");

/** The first message in view: its number and its distance from the window's top. */
const inView = (page) =>
  page.evaluate(() => {
    const edge = document.querySelector(".scroller").getBoundingClientRect().top;
    const shown = [...document.querySelectorAll(".messages [data-id]")].find(
      (element) => element.getBoundingClientRect().bottom > edge + 1,
    );
    return { id: shown.dataset.id, top: shown.getBoundingClientRect().top };
  });

const topOf = (page, id) =>
  page.evaluate((id) => document.querySelector(`[data-id="${id}"]`).getBoundingClientRect().top, id);

const fromBottom = (page) =>
  scroller(page).evaluate((e) => e.scrollHeight - e.scrollTop - e.clientHeight);

async function scrollUp(page, pixels) {
  await scroller(page).evaluate((e, pixels) => (e.scrollTop -= pixels), pixels);
  await frames(page, 3);
}

function same(before, after, what) {
  assert.ok(Math.abs(before - after) <= 1, `${what}: moved by ${after - before} pixels`);
}

async function stays(page, what, change) {
  const seen = await inView(page);
  await change();
  await frames(page, 4);
  same(seen.top, await topOf(page, seen.id), what);
}

test("1: an own message appears within a frame, and the order does not change afterwards", async () => {
  const page = await open(world, { route: "/c/1" });
  await settled(page);
  await composer(page).fill("Right now");
  const late = await page.evaluate(async () => {
    const area = document.querySelector(".composer textarea");
    const before = document.querySelectorAll(".message").length;
    const event = new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true });
    // Counted in frames, so that a busy machine does not fail it: at 60 a second one is 16 ms.
    await new Promise((done) => requestAnimationFrame(done));
    area.dispatchEvent(event);
    for (let frame = 1; ; frame += 1) {
      await new Promise((done) => requestAnimationFrame(done));
      if (document.querySelectorAll(".message").length > before) return frame;
    }
  });
  assert.ok(late <= 2, `${late} frames`);
  await composer(page).fill("And this");
  await page.keyboard.press("Enter");
  const order = () => bubbles(page).evaluateAll((all) => all.slice(-2).map((e) => e.dataset.id).join());
  await bubbles(page).last().getByText("And this").waitFor();
  const first = await order();
  await page.locator(".message:last-child [data-state=delivered]").waitFor();
  assert.equal(await order(), first);
  await done(page);
});

test("2: the message being read stays at its pixel", async () => {
  const page = await open(world, { route: "/c/1", size: [900, 500] });
  await settled(page);
  await page.evaluate(() => document.activeElement.blur());
  await page.goto(page.url().replace("#/c/1", "#/c/11"));
  await settled(page);
  await scrollUp(page, 300);
  await stays(page, "keyboard opened", () => page.setViewportSize({ width: 900, height: 320 }));
  await stays(page, "keyboard closed", () => page.setViewportSize({ width: 900, height: 500 }));
  await stays(page, "rotated", () => page.setViewportSize({ width: 620, height: 500 }));
  await stays(page, "sheet opened", () => page.setViewportSize({ width: 1300, height: 500 }));

  // History loaded above: scrolling up near the top asks for it.
  await page.goto(page.url().replace("#/c/11", "#/c/4"));
  await settled(page);
  const count = await bubbles(page).count();
  const seen = await page.evaluate(async () => {
    const scroller = document.querySelector(".scroller");
    scroller.scrollTop = 300;
    const edge = scroller.getBoundingClientRect().top;
    const shown = [...document.querySelectorAll(".messages [data-id]")].find(
      (element) => element.getBoundingClientRect().bottom > edge + 1,
    );
    return { id: shown.dataset.id, top: shown.getBoundingClientRect().top };
  });
  await page.waitForFunction((count) => document.querySelectorAll(".message").length > count, count);
  await frames(page, 3);
  same(seen.top, await topOf(page, seen.id), "history loaded");

  // A bubble that grows keeps its head where it is.
  await page.goto(page.url().replace("#/c/4", "#/c/5"));
  await settled(page);
  const more = page.getByRole("button", { name: "Show more" });
  await more.scrollIntoViewIfNeeded();
  await frames(page, 3);
  await stays(page, "bubble grown", () => more.click());
  await done(page);
});

test("3: a chat opens at the unread divider, and the divider keeps its rules", async () => {
  for (const [chat, unread] of [[2, 3], [4, 300]]) {
    const page = await open(world, { route: `/c/${chat}`, size: [900, 600] });
    await settled(page);
    const divider = page.getByRole("separator", { name: `${unread} unread` });
    await divider.waitFor();
    if (unread > 20) {
      const place = await page.evaluate(() => {
        const divider = document.querySelector("[data-divider]");
        const edge = document.querySelector(".scroller").getBoundingClientRect().top;
        let above = 0;
        for (let e = divider.previousElementSibling; e; e = e.previousElementSibling) {
          if (e.getBoundingClientRect().bottom > edge + 4) above += 1;
        }
        return { top: divider.getBoundingClientRect().top - edge, above };
      });
      assert.ok(place.top > 0 && place.top < 260, `divider at ${place.top}`);
      assert.ok(place.above >= 1 && place.above <= 3, `${place.above} lines above`);
    }
    await done(page);
  }
  const page = await open(world, { route: "/c/3", size: [900, 600] });
  await page.getByRole("separator", { name: "14 unread" }).waitFor();
  // It stays while one reads, and goes when one sends.
  await scroller(page).evaluate((e) => (e.scrollTop = e.scrollHeight));
  await frames(page, 3);
  assert.equal(await page.locator("[data-divider]").count(), 1);
  await composer(page).fill("Thanks");
  await page.keyboard.press("Enter");
  await page.locator("[data-divider]").waitFor({ state: "detached" });
  // What comes while the window is not looked at stands under a new one.
  await page.evaluate(() => {
    document.hasFocus = () => false;
    dispatchEvent(new Event("blur"));
  });
  await fake(page, { do: "arrive", chat: 3, text: "While you were away", count: 2 });
  await page.getByRole("separator", { name: "2 unread" }).waitFor();
  await done(page);
});

test("4: the button to the newest message counts and always works", async () => {
  const page = await open(world, { route: "/c/11", size: [900, 500] });
  await settled(page);
  await scrollUp(page, 400);
  const button = page.getByRole("button", { name: /To the newest message/ });
  await button.waitFor();
  await fake(page, { do: "arrive", chat: 11, count: 1000 });
  await page.getByRole("button", { name: "To the newest message, 1000 below" }).waitFor();
  await button.click();
  await page.waitForFunction(() => {
    const e = document.querySelector(".scroller");
    return e.scrollHeight - e.scrollTop - e.clientHeight < 3;
  });
  await button.waitFor({ state: "detached" });
  // With newer ones not loaded (300 unread, 60 at a time) it goes to the very last too.
  await page.goto(page.url().replace("#/c/11", "#/c/4"));
  await settled(page);
  await button.click();
  await page.waitForFunction(() => {
    const e = document.querySelector(".scroller");
    return e.scrollHeight - e.scrollTop - e.clientHeight < 3;
  });
  const last = JSON.parse(JSON.stringify(await fake(page, { do: "chat", chat: 4 }))).last.content.text;
  assert.ok((await bubbles(page).last().innerText()).startsWith(last.slice(0, 10)));
  await done(page);
});

test("5: arrivals do not move a reader who has scrolled up", async () => {
  const page = await open(world, { route: "/c/11", size: [900, 500] });
  await settled(page);
  await scrollUp(page, 400);
  await stays(page, "arrivals", () => fake(page, { do: "arrive", chat: 11, count: 25 }));
  // Within 80 pixels of the bottom one goes along.
  await scroller(page).evaluate((e) => (e.scrollTop = e.scrollHeight));
  await frames(page, 2);
  await scrollUp(page, 40);
  await fake(page, { do: "arrive", chat: 11, text: "Here" });
  await frames(page, 4);
  assert.ok((await fromBottom(page)) < 3);
  await done(page);
});

test("6: a draft is kept for each chat and shown in the list", async () => {
  const page = await open(world, { route: "/c/11" });
  await settled(page);
  await composer(page).fill("Half a thou");
  await page.waitForTimeout(350);
  await page.locator(".row[href='#/c/13']").click();
  await page.getByPlaceholder(/Message/).waitFor();
  await page.locator(".row[href='#/c/11']").getByText("Half a thou").waitFor();
  assert.equal(await composer(page).inputValue(), "");
  await page.locator(".row[href='#/c/11']").click();
  await settled(page);
  assert.equal(await composer(page).inputValue(), "Half a thou");
  // Leaving at once loses nothing either.
  await composer(page).fill("Half a thought");
  await page.locator(".row[href='#/c/13']").click();
  await page.locator(".row[href='#/c/11']").getByText("Half a thought").waitFor();
  await done(page);
});

test("7: the composer is emptied by a durable send alone, and failed text comes back on Try again", async () => {
  const page = await open(world, { route: "/c/1" });
  await settled(page);
  await fake(page, { do: "refuse", kind: "disk" });
  await composer(page).fill("Keep me");
  await page.keyboard.press("Enter");
  await page.locator(".composer").getByText("The disk is full or failed.").waitFor();
  assert.equal(await composer(page).inputValue(), "Keep me");
  await fake(page, { do: "refuse" });
  // While the answer is awaited the text stands, and what is typed meanwhile stays.
  await fake(page, { do: "hold" });
  await page.keyboard.press("Enter");
  await frames(page, 3);
  assert.equal(await composer(page).inputValue(), "Keep me");
  await page.keyboard.type(" and me");
  await fake(page, { do: "release" });
  await bubbles(page).last().getByText("Keep me").waitFor();
  assert.equal(await composer(page).inputValue(), " and me");
  await composer(page).fill("");
  // Refused for good: the line under the bubble, and Try again sends the same row.
  await fake(page, { do: "fail", kind: "account_gone" });
  await composer(page).fill("To nobody");
  await page.keyboard.press("Enter");
  const failed = bubbles(page).last();
  await failed.getByText("Not sent.").waitFor();
  assert.equal(await page.getByRole("alert").innerText(), "Not sent. It is kept here.");
  const id = await failed.getAttribute("data-id");
  await failed.getByRole("button", { name: "Try again" }).click();
  await page.locator(`[data-id="${id}"] [data-state=delivered]`).waitFor();
  assert.ok((await failed.innerText()).includes("To nobody"));
  await done(page);
});

test("8: Enter that confirms an input method does not send", async () => {
  const page = await open(world, { route: "/c/1" });
  await settled(page);
  const count = await bubbles(page).count();
  await composer(page).focus();
  const session = await page.context().newCDPSession(page);
  await session.send("Input.imeSetComposition", { text: "にほん", selectionStart: 3, selectionEnd: 3 });
  await session.send("Input.dispatchKeyEvent", { type: "rawKeyDown", key: "Enter", code: "Enter", windowsVirtualKeyCode: 229 });
  await frames(page, 3);
  assert.equal(await bubbles(page).count(), count);
  await session.send("Input.insertText", { text: "日本" });
  // Safari's: the confirming Enter comes just after the end, with the code of composing.
  await composer(page).evaluate((area) => {
    area.dispatchEvent(new CompositionEvent("compositionend", { bubbles: true }));
    area.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", keyCode: 229, bubbles: true, cancelable: true }));
  });
  await frames(page, 3);
  assert.equal(await bubbles(page).count(), count);
  assert.equal(await composer(page).inputValue(), "日本");
  await page.waitForTimeout(120);
  await page.keyboard.press("Enter");
  await bubbles(page).last().getByText("日本").waitFor();
  await composer(page).fill("one");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("two");
  assert.equal(await composer(page).inputValue(), "one\ntwo");
  await done(page);
});

test("9: messages are grouped, days have lines, and Today turns at midnight", async () => {
  // Ten in the evening: two hours are enough for midnight.
  const evening = new Date("2026-11-21T21:58:00Z");
  const page = await open(world, {
    route: "/c/1",
    before: async (page) => {
      await page.clock.install({ time: evening });
    },
  });
  await page.clock.runFor(2000);
  await page.getByRole("separator", { name: "Today" }).waitFor();
  const groups = await bubbles(page).evaluateAll((all) =>
    all.map((e) => [e.innerText.split("\n")[0].slice(0, 12), e.classList.contains("opens"), e.classList.contains("closes")]),
  );
  const of = (text) => groups.find(([start]) => start.startsWith(text));
  assert.deepEqual(of("Morning!").slice(1), [true, false]);
  assert.deepEqual(of("I can be").slice(1), [false, true]);
  const gap = await page.evaluate(() => {
    const [one, two] = [...document.querySelectorAll(".message")].slice(-2).map((e) => e.getBoundingClientRect());
    return two.top - one.bottom;
  });
  assert.equal(Math.round(gap), 2);
  await page.clock.fastForward(2 * 60 * 60 * 1000 + 60_000);
  await page.getByRole("separator", { name: "Yesterday" }).waitFor();
  assert.equal(await page.getByRole("separator", { name: "Today" }).count(), 0);
  await done(page);
});

test("10: times age by themselves, and the exact one is at hand", async () => {
  const page = await open(world, {
    route: "/c/1",
    before: (page) => page.clock.install({ time: new Date("2026-11-20T12:00:00Z") }),
  });
  await page.clock.runFor(2000);
  const time = page.locator(".row[href='#/c/1'] time");
  await time.waitFor();
  assert.match(await time.innerText(), /^\d\d:\d\d$/);
  assert.match(await time.getAttribute("title"), /2026/);
  await page.clock.fastForward(24 * 60 * 60 * 1000);
  assert.equal(await time.innerText(), "Yesterday");
  await page.clock.fastForward(2 * 24 * 60 * 60 * 1000);
  assert.equal(await time.innerText(), "Fri");
  await page.clock.fastForward(8 * 24 * 60 * 60 * 1000);
  assert.match(await time.innerText(), /20 Nov/);
  await bubbles(page).last().click({ button: "right" });
  await page.getByRole("menuitem", { name: "Info" }).click();
  await page.clock.runFor(200);
  await page.getByRole("dialog").getByText(/20 November 2026/).first().waitFor();
  await done(page);
});

test("11: https alone is a link, without a referrer, and never in a request", async () => {
  const page = await open(world, { route: "/c/1" });
  await settled(page);
  const link = page.locator(".messages a");
  assert.equal(await link.count(), 1);
  assert.equal(await link.getAttribute("href"), "https://example.org/reading");
  assert.equal(await link.innerText(), "https://example.org/reading");
  assert.match(await link.getAttribute("rel"), /noreferrer/);
  await page.goto(page.url().replace("#/c/1", "#/requests"));
  await page.getByText("https://example.org/pics").waitFor();
  assert.equal(await page.locator(".request a").count(), 0);
  await done(page);
});

test("12: one to three emoji alone are large; skin tones, families and flags count as one", async () => {
  const page = await open(world, { route: "/c/11" });
  await settled(page);
  const large = ["👍", "❤️", "👩🏽‍🌾🇩🇪", "👨‍👩‍👧‍👦👍🏿🏳️‍🌈", "😂 😂"];
  const plain = ["👍👍👍👍", "ok 👍", "1", "#", "→"];
  for (const text of [...large, ...plain]) {
    await composer(page).fill(text);
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.querySelector(".composer textarea").value === "");
  }
  await page.locator(".message.out").last().getByText(plain.at(-1)).waitFor();
  const shown = await bubbles(page).evaluateAll((all, count) =>
    all.slice(-count).map((e) => e.querySelector(".text").classList.contains("large")), large.length + plain.length);
  assert.deepEqual(shown, [...large.map(() => true), ...plain.map(() => false)]);
  await done(page);
});

const recordNotifications = async (page, context) => {
  await context.grantPermissions(["notifications"]);
  await page.addInitScript(() => {
    globalThis.shown = [];
    globalThis.Notification = class {
      static permission = "granted";
      constructor(title, options) {
        Object.assign(this, { title, ...options, close() {} });
        shown.push(this);
      }
    };
    globalThis.away = (away) => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => away });
      document.hasFocus = () => !away;
      document.dispatchEvent(new Event("visibilitychange"));
    };
  });
};

test("13: the title counts, the icon has its badge, and a hidden page notifies without text", async () => {
  const page = await open(world, { route: "/c/1", before: recordNotifications });
  await settled(page);
  assert.equal(await page.title(), "(5) Nodoor");
  assert.equal(await page.locator("#favicon").getAttribute("href"), "/icon-unread.svg");
  await page.evaluate(() => away(true));
  await fake(page, { do: "arrive", chat: 13, text: "Secret words" });
  await page.waitForFunction(() => shown.length === 1);
  const [notification] = await page.evaluate(() => shown.map(({ title, body }) => ({ title, body })));
  assert.equal(notification.title, "New message");
  assert.equal(notification.body, undefined);
  assert.equal(await page.title(), "(6) Nodoor");
  // The chat in front of one does not notify.
  await page.evaluate(() => away(false));
  await fake(page, { do: "arrive", chat: 1, text: "Seen at once" });
  await bubbles(page).last().getByText("Seen at once").waitFor();
  assert.equal(await page.evaluate(() => shown.length), 1);
  await done(page);
});

test("14: a click on a notification opens that chat at its divider, with the focus in the composer", async () => {
  const page = await open(world, { route: "/", before: recordNotifications });
  await page.locator(".row[href='#/c/13']").waitFor();
  await page.evaluate(() => away(true));
  await fake(page, { do: "arrive", chat: 13, text: "Are you there?" });
  await page.waitForFunction(() => shown.length === 1);
  await page.evaluate(() => {
    away(false);
    shown[0].onclick();
  });
  await page.waitForURL(/#\/c\/13$/);
  await page.getByRole("separator", { name: "1 unread" }).waitFor();
  await page.waitForFunction(() => document.activeElement.matches(".composer textarea"));
  await done(page);
});

test("15: seen is what was visible and focused, and all badges agree", async () => {
  const page = await open(world, { route: "/", before: recordNotifications });
  const row = page.locator(".row[href='#/c/7']");
  await row.getByText("1 unread").waitFor();
  await page.evaluate(() => away(true));
  await page.evaluate(() => (location.hash = "#/c/7"));
  await settled(page);
  assert.equal(await row.locator(".badge").count(), 1);
  assert.equal(await page.title(), "(5) Nodoor");
  await page.evaluate(() => away(false));
  await row.locator(".badge").waitFor({ state: "detached" });
  assert.equal(await page.title(), "(4) Nodoor");
  // Not seen: what lies under the window's edge.
  await page.goto(page.url().replace("#/c/7", "#/c/4"));
  await settled(page);
  await frames(page, 5);
  const left = (await fake(page, { do: "chat", chat: 4 })).unread;
  assert.ok(left > 200 && left < 300, `${left} unread`);
  assert.equal(await page.locator(".row[href='#/c/4'] .badge [aria-hidden]").innerText(), String(left));
  await done(page);
});

test("16: a second tab hands over, and Back walks layers, not pages", async () => {
  const page = await open(world, { route: "/", size: [390, 844] });
  await page.locator(".row[href='#/c/1']").click();
  await settled(page);
  await page.getByTitle("Chat info").click();
  await page.getByRole("heading", { name: "Contact" }).waitFor();
  await page.goBack();
  await page.getByRole("heading", { name: "Contact" }).waitFor({ state: "detached" });
  await bubbles(page).last().click({ button: "right" });
  await page.getByRole("menu").waitFor();
  await page.getByRole("menuitem", { name: "Info" }).click();
  await page.getByRole("dialog").waitFor();
  await page.goBack();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.match(page.url(), /#\/c\/1$/);
  await page.goBack();
  await page.waitForURL(/#\/$/);
  await page.locator(".side .rows").waitFor();
  // On a wide window chats take each other's place: Back leads to the list, not to the chat before.
  const wide = await open(world, { route: "/" });
  for (const chat of [1, 2, 3]) {
    await wide.locator(`.row[href='#/c/${chat}']`).click();
    await wide.waitForURL(new RegExp(`#/c/${chat}$`));
  }
  await wide.goBack();
  await wide.waitForURL(/#\/$/);
  await fake(wide, { do: "status", status: "taken" });
  await wide.getByText("Nodoor runs in one tab at a time.").waitFor();
  await wide.getByRole("button", { name: "Use it here" }).click();
  await wide.locator(".side .rows").waitFor();
  await done(wide);
  await done(page);
});

test("17: offline is a state: messages wait, go in order, and coming back is silent", async () => {
  const page = await open(world, { route: "/c/1" });
  await settled(page);
  await fake(page, { do: "connection", state: "offline" });
  await page.waitForTimeout(500);
  assert.equal(await page.getByText("Offline. Messages wait here.").count(), 0);
  await page.getByText("Offline. Messages wait here.").waitFor();
  for (const text of ["first", "second", "third"]) {
    await composer(page).fill(text);
    await page.keyboard.press("Enter");
    await bubbles(page).last().getByText(text).waitFor();
  }
  assert.equal(await page.locator("[data-state=waiting]").count() >= 3, true);
  assert.equal(await page.locator(".main").getByText("Not sent").count(), 0);
  await fake(page, { do: "connection", state: "online" });
  await page.getByText("Offline. Messages wait here.").waitFor({ state: "detached" });
  await page.locator(".message:last-child [data-state=delivered]").waitFor();
  const texts = await bubbles(page).evaluateAll((all) => all.slice(-3).map((e) => e.innerText.split("\n")[0].trim()));
  assert.deepEqual(texts.map((text) => text.match(/first|second|third/)[0]), ["first", "second", "third"]);
  assert.equal(await page.locator(".main [role=status]").count(), 0);
  await done(page);
});

test("18: long words, long messages and long names overflow nothing at 390 pixels", async () => {
  for (const route of ["/c/5", "/c/9", "/c/9/info", "/c/12", "/c/12/info", "/"]) {
    for (const query of ["", "text=200"]) {
      // Still, so that nothing is measured on its way in.
      const page = await open(world, { route, query, size: [390, 844], reducedMotion: "reduce" });
      await page.locator(route === "/" ? ".rows" : route.endsWith("info") ? ".sheet .who" : ".composer").waitFor();
      await frames(page, 3);
      if (route === "/c/5") {
        await page.getByRole("button", { name: "Show more" }).click();
        await frames(page, 2);
        assert.ok((await bubbles(page).last().innerText()).length > 9000);
      }
      const wide = await page.evaluate(() => {
        const found = [];
        for (const element of document.querySelectorAll("body *")) {
          const area = element.getBoundingClientRect();
          const shown = area.width > 0 && getComputedStyle(element).visibility === "visible";
          const cut = element.closest(".unseen, .name, .preview, h1, .hint, .names, bdi, .quick");
          if (shown && !cut && (area.right > innerWidth + 1 || area.left < -1)) found.push(element.className || element.tagName);
        }
        return found;
      });
      assert.deepEqual(wide, [], `${route} ${query}`);
      await shot(page, `long${route.replaceAll("/", "-")}${query ? "-200" : ""}`);
      await done(page);
    }
  }
});

test("19: a paste keeps its lines and drops its looks, and one too large says so and stays", async () => {
  const page = await open(world, { route: "/c/1" });
  await settled(page);
  const paste = (html, text) =>
    composer(page).evaluate(
      (area, [html, text]) => {
        area.focus();
        const data = new DataTransfer();
        data.setData("text/html", html);
        data.setData("text/plain", text);
        const event = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
        // The browser pastes plain text into a field by itself; a synthetic event does not.
        if (area.dispatchEvent(event)) document.execCommand("insertText", false, text);
      },
      [html, text],
    );
  await paste("<b>one</b><br>two", "one\ntwo");
  assert.equal(await composer(page).inputValue(), "one\ntwo");
  await page.keyboard.press("Enter");
  await bubbles(page).last().getByText("two").waitFor();
  assert.equal(await page.locator(".message:last-child b").count(), 0);
  const text = "ü".repeat(40_000);
  await composer(page).fill(text);
  await page.getByText("Too large: 79 KB, at most 64 KB. The text stays here.").waitFor();
  const count = await bubbles(page).count();
  await composer(page).press("Enter");
  await frames(page, 3);
  assert.equal(await bubbles(page).count(), count);
  assert.equal((await composer(page).inputValue()).length, text.length);
  await done(page);
});

test("20: what can be undone is done at once and has Undo", async () => {
  const page = await open(world, { route: "/c/1" });
  await settled(page);
  const last = bubbles(page).last();
  const text = "And the ladder, if it fits into the car.";
  await last.click({ button: "right" });
  await page.getByRole("menuitem", { name: "Delete for me" }).click();
  await page.getByText(text, { exact: true }).locator("visible=true").first().waitFor({ state: "detached" }).catch(() => {});
  await page.getByText("Deleted on this device.").waitFor();
  assert.equal(await page.locator(".messages").getByText(text).count(), 0);
  await page.getByRole("button", { name: "Undo" }).click();
  await page.locator(".messages").getByText(text).waitFor();
  assert.ok((await bubbles(page).last().innerText()).startsWith(text));
  await page.getByRole("button", { name: "Chat menu" }).click();
  await page.getByRole("menuitem", { name: "Block" }).click();
  await page.getByText("is not told.").waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await composer(page).waitFor();
  // The line goes by itself.
  await page.locator(".toast").waitFor({ state: "detached" });
  await done(page);
});

// 21 is in screens.test.mjs: a picture of each state.
test("21: every state has its screen", async () => {
  const states = [
    ["empty", { query: "empty" }, "Find someone by handle, or send them your link."],
    ["taken", { query: "status=taken" }, "Nodoor runs in one tab at a time."],
    ["unsupported", { query: "status=unsupported" }, "This browser cannot run Nodoor"],
    ["gone", { query: "status=gone" }, "The chats are gone from this browser"],
  ];
  for (const [, options, text] of states) {
    const page = await open(world, options);
    await page.getByText(text).waitFor();
    await done(page);
  }
  const page = await open(world, { route: "/c/1" });
  await settled(page);
  await fake(page, { do: "event", event: "disk_trouble" });
  await page.getByText("The disk is full or failed.").waitFor();
  await fake(page, { do: "status", status: "erased" });
  await page.getByText("This device is erased").waitFor();
  await done(page);
  const first = await open(world, { query: "new" });
  await first.getByRole("button", { name: "Create account" }).waitFor();
  await fake(first, { do: "connection", state: "offline" });
  await first.getByText("Server unreachable").waitFor();
  await done(first);
});

test("22: with large text, forced colours, no motion and from right to left no control is lost", async () => {
  const ways = [
    ["text=200", {}],
    ["lang=ar", {}],
    ["", { forcedColors: "active" }],
    ["", { reducedMotion: "reduce" }],
  ];
  for (const [query, options] of ways) {
    const page = await open(world, { route: "/c/1", query, size: [390, 844], ...options });
    await settled(page);
    await composer(page).fill("x");
    for (const control of [".composer textarea", ".send", ".head .title", ".head .icon-button"]) {
      const seen = await page.locator(`.main ${control}`).first().evaluate((e) => {
        const area = e.getBoundingClientRect();
        const middle = document.elementFromPoint(area.left + area.width / 2, area.top + area.height / 2);
        return area.width >= 24 && area.height >= 24 && (e === middle || e.contains(middle) || middle.contains(e));
      });
      assert.ok(seen, `${control} with ${query} ${JSON.stringify(options)}`);
    }
    assert.deepEqual(await axe(page), []);
    if (query === "lang=ar") {
      assert.equal(await page.locator("html").getAttribute("dir"), "rtl");
      const out = await page.locator(".message.out .bubble").first().boundingBox();
      assert.ok(out.x < 100, "one's own messages stand at the end, which is the left");
    }
    if (options.reducedMotion) {
      const moving = await page.evaluate(() => document.getAnimations().length);
      assert.equal(moving, 0);
    }
    await done(page);
  }
});
