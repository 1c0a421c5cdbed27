// SPDX-License-Identifier: AGPL-3.0-or-later
// What the browser's file driver stands on (crates/sdk/src/browser/files.js), in a real worker: pieces written and read in OPFS,
// one holder at a time, names that change, a picked file that is not copied, and an answer broken off and gone on with.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { launch } from "./lib/browser.mjs";

const SCRIPT = new URL("../../../crates/sdk/src/browser/files.js", import.meta.url);
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'";
// Runs one function of this file in the worker, with the module as its argument.
const WORKER = `import * as files from "/files.js";
self.onmessage = async ({ data }) => {
  try { self.postMessage({ value: await (await import("/step-" + data.step + ".js")).default(files, data.input) }); }
  catch (error) { self.postMessage({ error: error.name + ": " + error.message }); }
};
self.postMessage("up");`;
const BLOB = Buffer.from(Array.from({ length: 100_000 }, (_, at) => at % 251));

const steps = [];
const asked = [];
let server, profile, browser, page;

before(async () => {
  const script = await readFile(SCRIPT);
  server = createServer((request, response) => {
    response.setHeader("content-security-policy", POLICY);
    const give = (type, body) => response.setHeader("content-type", type).end(body);
    const step = /^\/step-(\d+)\.js$/.exec(request.url);
    if (step) return give("text/javascript", `export default ${steps[Number(step[1])]}`);
    if (request.url === "/files.js") return give("text/javascript", script);
    if (request.url === "/worker.js") return give("text/javascript", WORKER);
    if (!request.url.startsWith("/v1/")) return give("text/html", "<!doctype html><title>blank</title>");
    asked.push({ method: request.method, url: request.url, headers: request.headers });
    if (request.url === "/v1/away") return response.writeHead(302, { location: "/v1/blob/x" }).end();
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    response.writeHead(from ? 206 : 200, { "content-length": BLOB.length - from });
    if (request.url !== "/v1/blob/torn" || from) return response.end(BLOB.subarray(from));
    response.write(BLOB.subarray(0, 40_000), () => setTimeout(() => response.destroy(), 200));
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  profile = await mkdtemp(join(tmpdir(), "nodoor-opfs-"));
  browser = await launch(profile);
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
});

after(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
  if (profile) await rm(profile, { recursive: true, force: true });
});

/** Runs `step(files, input)` in a new worker, which ends with it: what a reload does to the driver. */
async function inWorker(step, input) {
  steps.push(step.toString());
  const answer = await page.evaluate(
    ([step, input]) =>
      new Promise((done, fail) => {
        const worker = new Worker("/worker.js", { type: "module" });
        worker.onerror = () => fail(new Error("the worker failed"));
        worker.onmessage = ({ data }) => {
          if (data === "up") return worker.postMessage({ step, input });
          worker.terminate();
          done(data);
        };
      }),
    [steps.length - 1, input],
  );
  if (answer.error) throw new Error(answer.error);
  return answer.value;
}

test("a file is written in pieces, renamed, and found by the next worker", async () => {
  await inWorker(async (files) => {
    const file = await files.openFile("a.new", true);
    files.writeAt(file, 0, new Uint8Array([1, 2, 3]));
    files.writeAt(file, 3, new Uint8Array([4, 5]));
    file.flush();
    file.close();
    await files.rename("a.new", "a");
  });
  const found = await inWorker(async (files) => {
    const file = await files.openFile("a", false);
    const into = new Uint8Array(8);
    const read = files.readAt(file, 1, into);
    file.close();
    return { bytes: [...into.subarray(0, read)], before: await files.isThere("a.new"), now: await files.isThere("a") };
  });
  assert.deepEqual(found, { bytes: [2, 3, 4, 5], before: false, now: true });
});

test("what is missing and what is held are told apart by name", async () => {
  const names = await inWorker(async (files) => {
    const name = (work) => work.then(() => "none", (error) => error.name);
    const missing = await name(files.openFile("missing", false));
    const file = await files.openFile("held", true);
    const held = await name(files.openFile("held", true));
    file.close();
    return { missing, held };
  });
  assert.deepEqual(names, { missing: "NotFoundError", held: "NoModificationAllowedError" });
});

test("only what is named is kept", async () => {
  const left = await inWorker(async (files) => {
    for (const name of ["keep", "drop", "drop.part"]) (await files.openFile(name, true)).close();
    await files.keepOnly(["keep"]);
    return Promise.all(["keep", "drop", "drop.part"].map((name) => files.isThere(name)));
  });
  assert.deepEqual(left, [true, false, false]);
});

test("a picked file is read in slices until it is let go of, and an opened blob has no type", async () => {
  const seen = await inWorker(async (files) => {
    files.pick("picked", new File(["<script>0</script>"], "a.png", { type: "text/html" }));
    const bytes = await files.slice(files.pickedFile("picked"), 1, 7);
    files.unpick("picked");
    const opened = files.makeBlob([files.makeBlob([bytes])]);
    return { text: await opened.text(), type: opened.type, gone: files.pickedFile("picked") === undefined };
  });
  assert.deepEqual(seen, { text: "script", type: "", gone: true });
});

test("an answer broken off is gone on with from the bytes that are on disk", async () => {
  const fetchPart = async (files, headers) => {
    const file = await files.openFile("torn.part", true);
    let done = file.getSize();
    const answer = await files.fetchFrom("/v1/blob/torn", [...headers, "range", `bytes=${done}-`]);
    const said = { status: answer.status, length: answer.length, from: done };
    try {
      for (let bytes = await files.next(answer); bytes; bytes = await files.next(answer)) {
        files.writeAt(file, done, bytes);
        done += bytes.length;
      }
    } catch {
      said.torn = true;
    }
    files.end(answer);
    const all = new Uint8Array(done);
    files.readAt(file, 0, all);
    file.close();
    return { ...said, done, right: all.every((byte, at) => byte === at % 251) };
  };
  const first = await inWorker(fetchPart, ["nodoor-pass", "aa"]);
  assert.deepEqual(first, { status: 200, length: 100_000, from: 0, torn: true, done: 40_000, right: true });
  const second = await inWorker(fetchPart, ["nodoor-pass", "bb"]);
  assert.deepEqual(second, { status: 206, length: 60_000, from: 40_000, done: 100_000, right: true });
  assert.equal(asked.at(-1).headers["nodoor-pass"], "bb");
});

test("a request follows no redirect and brings no cookie", async () => {
  await page.evaluate(() => (document.cookie = "who=alice"));
  await assert.rejects(inWorker((files) => files.ask("GET", "/v1/away", [], undefined)));
  const [status] = await inWorker((files) => files.ask("HEAD", "/v1/blob/x", [], undefined));
  assert.equal(status, 200);
  assert.deepEqual([asked.at(-1).method, asked.at(-1).headers.cookie], ["HEAD", undefined]);
});
