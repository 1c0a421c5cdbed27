// SPDX-License-Identifier: AGPL-3.0-or-later
// Starts the interface. The only script of ours that is not made from Rust: what Trusted Types
// wants said in one place, and the look that must stand before the first paint.

const ours = ["/engine-worker.js", "/sw.js"];
const rules = {
  createScriptURL(name) {
    if (ours.includes(name)) return name;
    throw new TypeError("not a script of this app");
  },
};
const policy = globalThis.trustedTypes?.createPolicy("nodoor", rules) ?? rules;

// The page asks for these two by name.
globalThis.nodoorWorker = () =>
  new Worker(policy.createScriptURL("/engine-worker.js"), { type: "module" });
globalThis.nodoorServiceWorker = () =>
  navigator.serviceWorker.register(policy.createScriptURL("/sw.js"));

// Reads a QR code with the camera, until one is seen or the picture is gone from the page.
globalThis.nodoorScan = async (video) => {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  try {
    video.srcObject = stream;
    await video.play();
    const reader = new BarcodeDetector({ formats: ["qr_code"] });
    while (video.isConnected) {
      const [code] = await reader.detect(video);
      if (code) return code.rawValue;
      await new Promise((done) => setTimeout(done, 100));
    }
  } finally {
    for (const track of stream.getTracks()) track.stop();
  }
};

// Reads a QR code off a picture, by a module that is loaded with the first one; null if there is none in it.
const readPicture = async (picture) => {
  const { default: init, read } = await import("/reader.js");
  await init({ module_or_path: "/reader_bg.wasm" });
  const bitmap = await createImageBitmap(picture);
  // Larger than a code needs only takes longer.
  const scale = Math.min(1, 1200 / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
  const context = new OffscreenCanvas(width, height).getContext("2d");
  // What is clear is paper.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const grey = new Uint8Array(width * height);
  for (let n = 0; n < grey.length; n += 1) {
    grey[n] = (data[4 * n] * 77 + data[4 * n + 1] * 150 + data[4 * n + 2] * 29) >> 8;
  }
  return read(grey, width) ?? null;
};

// Pictures chosen in `field`, or pasted or dropped anywhere while it is on the page: what their code says, or null.
globalThis.nodoorPictures = (field, said) => {
  const take = (event, files) => {
    const picture = [...(files ?? [])].find((file) => file.type.startsWith("image/"));
    if (!picture) return;
    event.preventDefault();
    readPicture(picture).catch(() => null).then((text) => field.isConnected && said(text));
  };
  const heard = {
    paste: (event) => take(event, event.clipboardData?.files),
    drop: (event) => take(event, event.dataTransfer?.files),
    dragover: (event) => event.dataTransfer?.types.includes("Files") && event.preventDefault(),
  };
  for (const [name, hear] of Object.entries(heard)) {
    const once = (event) => (field.isConnected ? hear(event) : window.removeEventListener(name, once));
    window.addEventListener(name, once);
  }
  field.addEventListener("change", (event) => {
    take(event, field.files);
    field.value = "";
  });
};

// What runs (the service worker holds its manifest) and what the server has: the SHA-256 of both manifests, then a line
// for each file that differs.
globalThis.nodoorVersions = async () => {
  const read = async (cache) => {
    const bytes = await (await fetch("/integrity.json", { cache })).arrayBuffer();
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const { hashes } = JSON.parse(new TextDecoder().decode(bytes));
    return { hashes, hex: Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("") };
  };
  const [runs, comes] = [await read("default"), await read("no-store")];
  const paths = new Set([...Object.keys(runs.hashes), ...Object.keys(comes.hashes)]);
  const lines = [...paths].sort().flatMap((path) => {
    const [before, after] = [runs.hashes[path], comes.hashes[path]];
    if (before === after) return [];
    return [`${before ? (after ? "\u00b1" : "\u2212") : "+"} ${path}`];
  });
  return [runs.hex, comes.hex, ...lines];
};

// Where this browser is called, under the server's key: `[endpoint, key, secret]`. A subscription under another key is over.
globalThis.nodoorPush = async (key) => {
  const { pushManager } = await navigator.serviceWorker.ready;
  const before = await pushManager.getSubscription();
  const under = new Uint8Array(before?.options.applicationServerKey ?? []);
  if (before && under.join() !== key.join()) await before.unsubscribe();
  const made = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  return [made.endpoint, new Uint8Array(made.getKey("p256dh")), new Uint8Array(made.getKey("auth"))];
};

globalThis.nodoorNoPush = async () => {
  const { pushManager } = await navigator.serviceWorker.ready;
  await (await pushManager.getSubscription())?.unsubscribe();
};

// The words of a call, for the service worker; and the notification of an earlier one has done its work.
globalThis.nodoorPushWords = async (title, lang, dir) => {
  const cache = await caches.open("words");
  await cache.put("/words", new Response(JSON.stringify({ title, lang, dir })));
  const registration = await navigator.serviceWorker.ready;
  for (const shown of await registration.getNotifications({ tag: "call" })) shown.close();
};

try {
  const look = JSON.parse(localStorage.getItem("look") ?? "{}");
  const root = document.documentElement;
  if (look.theme === "light" || look.theme === "dark") root.dataset.theme = look.theme;
  if (look.text) root.style.setProperty("font-size", `${look.text}%`);
} catch {
  // Storage is shut in some private windows; the look of the system stands.
}

if (typeof WebAssembly === "object") {
  const { default: init } = await import("/page.js");
  await init({ module_or_path: "/page_bg.wasm" });
} else {
  document.body.textContent = "This browser cannot run Nodoor: WebAssembly is missing.";
}
