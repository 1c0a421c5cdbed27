// SPDX-License-Identifier: AGPL-3.0-or-later
// What a browser offers to scripts alone: one engine per browser profile, and the key of its database.

/** The first thing this browser lacks, or "". */
export function missing() {
  if (!globalThis.navigator?.storage?.getDirectory) return "OPFS";
  if (!navigator.locks) return "Web Locks";
  if (!globalThis.indexedDB) return "IndexedDB";
  if (!globalThis.crypto?.subtle) return "WebCrypto";
  return "";
}

let release = () => {};

/**
 * Becomes the one engine of this profile: true, or false if another tab is. With `steal` always
 * true: the other one is told. `lost` is called when that happens to this one.
 */
export function hold(steal, lost) {
  return new Promise((resolve, reject) => {
    const options = steal ? { steal: true } : { ifAvailable: true };
    const held = (lock) => {
      resolve(lock !== null);
      return lock === null ? null : new Promise((done) => (release = done));
    };
    navigator.locks.request("nodoor-engine", options, held).catch((error) => {
      if (error?.name === "AbortError") lost();
      reject(error);
    });
  });
}

/** Stops being the one. */
export function letGo() {
  release();
}

/**
 * The 32 bytes that open the database, or undefined if there is no record of them. They are stored
 * wrapped by a key that scripts may use and not read: who copies the files of OPFS has nothing.
 */
export async function loadKey() {
  const record = await records("readonly", (store) => store.get("key"));
  if (!record) return undefined;
  const { wrapping, nonce, wrapped } = record;
  return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv: nonce }, wrapping, wrapped));
}

/** Makes and stores a new key. */
export async function makeKey() {
  const key = crypto.getRandomValues(new Uint8Array(32));
  const nonce = crypto.getRandomValues(new Uint8Array(12));
  const use = ["encrypt", "decrypt"];
  const wrapping = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, use);
  const wrapped = await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce }, wrapping, key);
  await records("readwrite", (store) => store.put({ wrapping, nonce, wrapped }, "key"));
  return key;
}

/** Whether this browser once had an account. */
export async function hadAccount() {
  return Boolean(await records("readonly", (store) => store.get("account")));
}

/** Remembers that it has one, and asks the browser not to throw its files away. */
export async function markAccount() {
  await records("readwrite", (store) => store.put(true, "account"));
  await navigator.storage.persist?.();
}

/** Forgets key and account. */
export async function forget() {
  await records("readwrite", (store) => store.clear());
}

async function records(mode, work) {
  const open = indexedDB.open("nodoor", 1);
  open.onupgradeneeded = () => open.result.createObjectStore("engine");
  const database = await settled(open);
  try {
    const transaction = database.transaction("engine", mode, { durability: "strict" });
    const done = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    const result = await settled(work(transaction.objectStore("engine")));
    await done;
    return result;
  } finally {
    database.close();
  }
}

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
