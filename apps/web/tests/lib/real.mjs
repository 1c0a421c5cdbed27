// SPDX-License-Identifier: AGPL-3.0-or-later
// A real server, real profiles of Chromium, the real terminal client. `NODOOR_BIN` is the folder of the
// binaries, `NODOOR_WEB` the folder of the web app.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { ROOT, launch } from "./browser.mjs";

const run = promisify(execFile);
const BIN = process.env.NODOOR_BIN ?? join(ROOT, "target/debug");
const WEB = process.env.NODOOR_WEB ?? join(ROOT, "target/web");

/** Why the real thing cannot be tested here, or false. */
export const missing = [join(BIN, "nodoord"), join(BIN, "nodoor"), join(WEB, "index.html")].find(
  (path) => !existsSync(path),
);

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** One server with its own data and its own copy of the web app, and whoever comes to it. */
export async function house() {
  const folder = await mkdtemp(join(tmpdir(), "nodoor-"));
  const web = join(folder, "web");
  await cp(WEB, web, { recursive: true });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const contexts = [];
  let process_ = null;

  const up = async () => {
    process_ = spawn(
      join(BIN, "nodoord"),
      ["run", "--data", join(folder, "data"), "--listen", `127.0.0.1:${port}`, "--web", web],
      { stdio: ["ignore", "ignore", "inherit"] },
    );
    for (let tries = 0; tries < 300; tries += 1) {
      const answer = await fetch(url).catch(() => null);
      if (answer?.ok) return;
      await new Promise((done) => setTimeout(done, 100));
    }
    throw new Error("the server did not come up");
  };
  const down = async () => {
    if (process_ && process_.exitCode === null) {
      process_.kill("SIGCONT");
      process_.kill("SIGTERM");
      await once(process_, "exit");
    }
    process_ = null;
  };
  await up();

  return {
    url,
    web,
    up,
    down,
    /** The server says nothing more, and its connections stand: as a network does that vanished. */
    freeze: () => process_.kill("SIGSTOP"),
    thaw: () => process_.kill("SIGCONT"),
    /** A profile of its own, on disk. */
    person: async (name) => {
      const context = await launch(join(folder, `chromium-${name}`));
      context.setDefaultTimeout(30_000);
      contexts.push(context);
      return context;
    },
    /** One command of the terminal client; its JSON lines. */
    terminal: async (name, ...words) => {
      const flags = ["--profile", join(folder, `terminal-${name}`), "--server", url, "--json"];
      const { stdout } = await run(join(BIN, "nodoor"), [...flags, ...words], { timeout: 60_000 });
      return stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line));
    },
    close: async () => {
      for (const context of contexts) await context.close().catch(() => {});
      await down();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Opens the app in a profile; the errors of the page are kept. */
export async function visit(context, url) {
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(String(error)));
  // A header with a word that Chromium does not know is a mistake of ours, and says so here alone.
  page.on("console", (message) => {
    if (/policy/i.test(message.text())) page.faults.push(message.text());
  });
  await page.goto(url);
  return page;
}

/** From the welcome screen to an account. */
export async function register(page, handle) {
  await page.locator("#handle").fill(handle);
  await page.getByText("Free.").waitFor();
  await page.getByRole("button", { name: "Create account" }).click();
  await page.locator(".side .head").waitFor();
}

/** Writes in the open chat. */
export async function write(page, text) {
  await page.locator(".composer textarea").fill(text);
  await page.keyboard.press("Enter");
  await page.locator(".message.out").last().getByText(text).waitFor();
}

/** Finds a person and opens the chat. */
export async function find(page, handle) {
  await page.evaluate(() => (location.hash = "#/find"));
  await page.locator("#find-handle").fill(handle);
  await page.keyboard.press("Enter");
  await page.locator(".main .card").getByRole("button", { name: "Message" }).click();
  await page.locator(".composer textarea").waitFor();
}
