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
