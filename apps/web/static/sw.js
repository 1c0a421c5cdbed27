// SPDX-License-Identifier: AGPL-3.0-or-later
// Starts the app without a network. Holds one version whole: the files of a version never mix with
// those of another, and a new one waits until the person restarts. Only files; nothing of a chat
// passes through here: a call from outside says that something waits, and nothing else.

// `cargo xtask web` writes the list of files and their SHA-256 here.
const FILES = {};

// Of these the ones that come when they are first used, and stay then. It writes them too.
const LATER = [];

const VERSION = `nodoor-${Object.values(FILES).sort().join("").length}-${digest(Object.entries(FILES).sort().join())}`;

// Names the cache, nothing more.
function digest(text) {
  let sum = 0;
  for (const char of text) sum = (Math.imul(sum, 31) + char.codePointAt(0)) >>> 0;
  return sum.toString(16);
}

// What `cargo xtask web` says the whole app is made of; releases are logged by it.
const MANIFEST = "/integrity.json";

// SHA-256 from hexadecimal to the form `integrity` wants.
function subresource(hex) {
  const bytes = (hex ?? "").match(/../g)?.map((byte) => String.fromCharCode(parseInt(byte, 16))) ?? [];
  return bytes.length ? `sha256-${btoa(bytes.join(""))}` : "";
}

// Asks for a file so that another one than the one listed is an error.
function listed(path) {
  const integrity = subresource(FILES[path === "/" ? "/index.html" : path]);
  return new Request(path, { cache: "no-cache", integrity });
}

self.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(VERSION);
      const now = (path) => path !== "/index.html" && !LATER.includes(path);
      const paths = ["/", ...Object.keys(FILES).filter(now)];
      // A file that is not the one listed is not taken, and with it none of the version.
      await cache.addAll(paths.map(listed));
      // The manifest of the files above and of no others is held beside them, so that a later one can be compared.
      const answer = await fetch(MANIFEST, { cache: "no-cache" });
      const text = await answer.text();
      const { hashes } = JSON.parse(text);
      for (const [path, hex] of Object.entries(FILES)) {
        const named = `sha256-${(hashes[path] ?? "").replaceAll("-", "+").replaceAll("_", "/")}=`;
        if (named !== subresource(hex)) throw new Error("the manifest is another version's");
      }
      await cache.put(MANIFEST, new Response(text, { headers: { "content-type": "application/json" } }));
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
  // The server's own manifest is asked for with `no-store`.
  const held = path === MANIFEST && event.request.cache !== "no-store";
  if (!ours || !(held || path === "/" || path in FILES)) return;
  event.respondWith(
    (async () => {
      const cache = await caches.open(VERSION);
      const kept = await cache.match(path);
      if (kept || !LATER.includes(path)) return kept ?? fetch(event.request);
      const answer = await fetch(listed(path));
      if (answer.ok) await cache.put(path, answer.clone());
      return answer;
    })(),
  );
});

// Somebody is called. What the call holds is not looked at: it is the same for everyone. The words were left by the page.
self.addEventListener("push", (event) => {
  event.waitUntil(
    (async () => {
      const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
      // In front of a person the page itself says what there is.
      if (windows.some((window) => window.visibilityState === "visible")) return;
      const kept = await (await caches.open("words")).match("/words");
      const { title, lang, dir } = kept ? await kept.json() : { title: "Nodoor" };
      await self.navigator.setAppBadge?.().catch(() => {});
      // A later one takes the place of this.
      await self.registration.showNotification(title, { tag: "call", icon: "/icon-192.png", lang, dir: dir || "auto" });
    })(),
  );
});

self.addEventListener("notificationclick", (event) => {
  // Those of the page have a click of their own.
  if (event.notification.tag !== "call") return;
  event.notification.close();
  event.waitUntil(
    (async () => {
      const [window] = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
      await (window ? window.focus() : self.clients.openWindow("/"));
    })(),
  );
});
