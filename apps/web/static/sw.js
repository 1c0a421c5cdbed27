// SPDX-License-Identifier: AGPL-3.0-or-later
// Starts the app without a network. Holds one version whole: the files of a version never mix with
// those of another, and a new one waits until the person restarts. Only files; nothing of a chat
// passes through here.

// `cargo xtask web` writes the list of files and their SHA-256 here.
const FILES = {};

const VERSION = `nodoor-${Object.values(FILES).sort().join("").length}-${digest(Object.entries(FILES).sort().join())}`;

// Names the cache, nothing more.
function digest(text) {
  let sum = 0;
  for (const char of text) sum = (Math.imul(sum, 31) + char.codePointAt(0)) >>> 0;
  return sum.toString(16);
}

// SHA-256 from hexadecimal to the form `integrity` wants.
function subresource(hex) {
  const bytes = (hex ?? "").match(/../g)?.map((byte) => String.fromCharCode(parseInt(byte, 16))) ?? [];
  return bytes.length ? `sha256-${btoa(bytes.join(""))}` : "";
}

self.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(VERSION);
      const paths = ["/", ...Object.keys(FILES).filter((path) => path !== "/index.html")];
      // A file that is not the one listed is not taken, and with it none of the version.
      await cache.addAll(
        paths.map((path) => {
          const integrity = subresource(FILES[path === "/" ? "/index.html" : path]);
          return new Request(path, { cache: "no-cache", integrity });
        }),
      );
    })(),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) {
        if (name.startsWith("nodoor-") && name !== VERSION) await caches.delete(name);
      }
      await self.clients.claim();
    })(),
  );
});

self.addEventListener("message", (event) => {
  if (event.data === "restart") self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  const ours = url.origin === location.origin && event.request.method === "GET";
  const path = url.pathname === "/index.html" ? "/" : url.pathname;
  if (!ours || !(path === "/" || path in FILES)) return;
  event.respondWith(
    (async () => {
      const cache = await caches.open(VERSION);
      return (await cache.match(path)) ?? fetch(event.request);
    })(),
  );
});
