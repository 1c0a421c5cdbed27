// SPDX-License-Identifier: AGPL-3.0-or-later
// Sealed files in OPFS, files that the page picked, and HTTP: what browsers offer to scripts alone.

const FOLDER = "nodoor-files";
/** For one piece, or for the next bytes. */
const WITHIN_MS = 120_000;

const picked = new Map();

/** Keeps a file of the page under the name that a command will use. Its bytes stay where they are. */
export function pick(place, blob) {
  picked.set(place, blob);
}

/** What was picked under that name, or undefined: it does not outlive this worker. */
export function pickedFile(place) {
  return picked.get(place);
}

/** Lets go of it. */
export function unpick(place) {
  picked.delete(place);
}

/** Bytes of a blob. */
export async function slice(blob, from, to) {
  return new Uint8Array(await blob.slice(from, to).arrayBuffer());
}

/** A blob of bytes or of other blobs, without a type: nothing that meets it takes it for a page or a script. */
export function makeBlob(parts) {
  return new Blob(parts);
}

/** Opens a sealed file for this worker alone. The error's name says why not: "NotFoundError", or another holds it. */
export async function openFile(name, create) {
  const file = await (await folder()).getFileHandle(name, { create });
  return file.createSyncAccessHandle();
}

/** Reads into a buffer; how many bytes there were. */
export function readAt(handle, at, into) {
  return handle.read(into, { at });
}

/** Writes all of it, or throws. */
export function writeAt(handle, at, bytes) {
  if (handle.write(bytes, { at }) !== bytes.length) throw new Error("short write");
}

/** Whether there is such a file. */
export async function isThere(name) {
  try {
    await (await folder()).getFileHandle(name);
    return true;
  } catch (error) {
    if (error.name === "NotFoundError") return false;
    throw error;
  }
}

/** Gives a closed file another name. */
export async function rename(from, to) {
  await (await (await folder()).getFileHandle(from)).move(to);
}

/** Removes a file, if it is there and nobody holds it. */
export async function remove(name) {
  await (await folder()).removeEntry(name).catch(() => {});
}

/** Removes every file but these. */
export async function keepOnly(names) {
  const kept = new Set(names);
  const there = [];
  for await (const name of (await folder()).keys()) there.push(name);
  for (const name of there) if (!kept.has(name)) await remove(name);
}

/** A request with a short answer: its status and its first 1024 characters. */
export async function ask(method, path, headers, body) {
  const signal = AbortSignal.timeout(WITHIN_MS);
  const answer = await request(method, path, headers, body, signal);
  return [answer.status, method === "HEAD" ? "" : (await answer.text()).slice(0, 1024)];
}

/** Begins to fetch: the status, how long the answer says it is (-1: it does not say), and its bytes to come. */
export async function fetchFrom(path, headers) {
  const stop = new AbortController();
  const answer = await within(request("GET", path, headers, undefined, stop.signal), stop);
  const length = answer.headers.get("content-length");
  return { status: answer.status, length: length === null ? -1 : Number(length), reader: answer.body?.getReader(), stop };
}

/** The next bytes, or undefined at the end. */
export async function next(answer) {
  const { done, value } = await within(answer.reader.read(), answer.stop);
  return done ? undefined : value;
}

/** Lets go of the connection, whether all of it came or not. */
export function end(answer) {
  answer.stop.abort();
}

function request(method, path, pairs, body, signal) {
  const headers = [];
  for (let at = 0; at < pairs.length; at += 2) headers.push([pairs[at], pairs[at + 1]]);
  return fetch(path, { method, headers, body, signal, cache: "no-store", credentials: "omit", redirect: "error" });
}

async function within(work, stop) {
  const timer = setTimeout(() => stop.abort(), WITHIN_MS);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}

async function folder() {
  return (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
}
